import { CloseOutlined, PaperClipOutlined, SendOutlined, StopOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { type ReactNode, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { type Media, NO_MEDIA } from "./media";

type Props = {
  media: Media;
  change: (media: Media) => void;
  /** Takes files that were chosen or pasted. */
  add: (files: Iterable<File>) => void;
  running: boolean;
  /** Whether a model waits for results, and takes no message before. */
  waiting: boolean;
  send: (text: string, media: Media) => void;
  stop: () => void;
  children?: ReactNode;
};

/** Where a turn is written; images and videos come by choosing, pasting or dropping. */
export function Composer({ media, change, add, running, waiting, send, stop, children }: Props) {
  const { t } = useTranslation();
  const chooser = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  const empty = text.trim() === "" && media.images.length === 0 && media.videos.length === 0;
  const submit = () => {
    if (running || waiting || empty) return;
    send(text, media);
    setText("");
    change(NO_MEDIA);
  };
  const without = (list: string[], index: number) => list.filter((_, other) => other !== index);
  return (
    <div className="composer">
      <div className="thumbs">
        {media.images.map((url, index) => (
          <Removable key={url.slice(-40)} label={t("playground.removeImage", { number: index + 1 })} remove={() => change({ ...media, images: without(media.images, index) })}>
            <img src={url} alt="" />
          </Removable>
        ))}
        {media.videos.map((url, index) => (
          <Removable key={url.slice(-40)} label={t("playground.removeVideo", { number: index + 1 })} remove={() => change({ ...media, videos: without(media.videos, index) })}>
            <video src={url} muted />
          </Removable>
        ))}
      </div>
      <Input.TextArea
        variant="borderless"
        aria-label={t("playground.message")}
        placeholder={waiting ? t("playground.waitsForResults") : t("playground.placeholder")}
        className="grows"
        rows={2}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onPaste={(event) => {
          if (event.clipboardData.files.length === 0) return;
          event.preventDefault();
          add(event.clipboardData.files);
        }}
        onPressEnter={(event) => {
          if (event.shiftKey || event.nativeEvent.isComposing) return;
          event.preventDefault();
          submit();
        }}
      />
      <div className="composer-foot">
        <div className="filters" style={{ margin: 0 }}>
          <Button type="text" icon={<PaperClipOutlined aria-hidden />} onClick={() => chooser.current?.click()}>
            {t("playground.attach")}
          </Button>
          {children}
        </div>
        <input ref={chooser} type="file" accept="image/*,video/*" multiple hidden aria-label={t("playground.attach")} onChange={(event) => add(event.target.files ?? [])} />
        {running ? (
          <Button danger icon={<StopOutlined aria-hidden />} onClick={stop}>
            {t("playground.stop")}
          </Button>
        ) : (
          <Button type="primary" icon={<SendOutlined aria-hidden />} onClick={submit} disabled={waiting || empty}>
            {t("playground.send")}
          </Button>
        )}
      </div>
    </div>
  );
}

function Removable({ label, remove, children }: { label: string; remove: () => void; children: ReactNode }) {
  return (
    <button type="button" className="thumb" aria-label={label} onClick={remove}>
      {children}
      <CloseOutlined aria-hidden />
    </button>
  );
}
