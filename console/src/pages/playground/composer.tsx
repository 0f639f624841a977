import { PaperClipOutlined, SendOutlined, StopOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { type DragEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

const LARGEST_IMAGE = 15 * 1024 * 1024; // bytes

type Props = { running: boolean; send: (text: string, images: string[]) => void; stop: () => void };

/** Where a turn is written; images come by choosing, pasting or dropping. */
export function Composer({ running, send, stop }: Props) {
  const { t } = useTranslation();
  const chooser = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  const [images, setImages] = useState<string[]>([]);
  const [over, setOver] = useState(false);
  const add = async (files: Iterable<File>) => {
    const fitting = [...files].filter((file) => file.type.startsWith("image/") && file.size <= LARGEST_IMAGE);
    const urls = await Promise.all(fitting.map(dataUrl));
    setImages((before) => [...before, ...urls]);
  };
  const submit = () => {
    if (running || (text.trim() === "" && images.length === 0)) return;
    send(text, images);
    setText("");
    setImages([]);
  };
  const dropped = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void add(event.dataTransfer.files);
  };
  return (
    <div
      className={over ? "composer over" : "composer"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={dropped}
    >
      {images.length > 0 && (
        <div className="thumbs">
          {images.map((url, index) => (
            <button key={url.slice(-40)} type="button" style={{ padding: 0, border: 0, background: "none", cursor: "pointer" }} aria-label={t("playground.removeImage", { number: index + 1 })} onClick={() => setImages(images.filter((_, other) => other !== index))}>
              <img src={url} alt="" />
            </button>
          ))}
        </div>
      )}
      <Input.TextArea
        variant="borderless"
        aria-label={t("playground.message")}
        placeholder={t("playground.placeholder")}
        className="grows"
        rows={2}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onPaste={(event) => {
          if (event.clipboardData.files.length === 0) return;
          event.preventDefault();
          void add(event.clipboardData.files);
        }}
        onPressEnter={(event) => {
          if (event.shiftKey || event.nativeEvent.isComposing) return;
          event.preventDefault();
          submit();
        }}
      />
      <div className="composer-foot">
        <Button type="text" icon={<PaperClipOutlined aria-hidden />} onClick={() => chooser.current?.click()}>
          {t("playground.attach")}
        </Button>
        <input ref={chooser} type="file" accept="image/*" multiple hidden aria-label={t("playground.attach")} onChange={(event) => void add(event.target.files ?? [])} />
        {running ? (
          <Button danger icon={<StopOutlined aria-hidden />} onClick={stop}>
            {t("playground.stop")}
          </Button>
        ) : (
          <Button type="primary" icon={<SendOutlined aria-hidden />} onClick={submit} disabled={text.trim() === "" && images.length === 0}>
            {t("playground.send")}
          </Button>
        )}
      </div>
    </div>
  );
}

function dataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error ?? new Error(file.name));
    reader.readAsDataURL(file);
  });
}
