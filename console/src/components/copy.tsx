import { CheckOutlined, CopyOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

const SHOWN_MS = 1500;

/** Copies a text, and says that it has. */
export function Copy({ text, label }: { text: string; label?: string }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await write(text);
    setCopied(true);
    setTimeout(() => setCopied(false), SHOWN_MS);
  };
  return (
    <Button size="small" icon={copied ? <CheckOutlined aria-hidden /> : <CopyOutlined aria-hidden />} onClick={() => void copy()}>
      {copied ? t("actions.copied") : (label ?? t("actions.copy"))}
    </Button>
  );
}

/** A text that is for copying: code, a key, an id. */
export function CodeBlock({ text, label }: { text: string; label: string }) {
  return (
    <div>
      <div className="filters" style={{ justifyContent: "flex-end", marginBottom: 6 }}>
        <Copy text={text} />
      </div>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard */}
      <pre className="block" role="region" tabIndex={0} aria-label={label}>
        {text}
      </pre>
    </div>
  );
}

async function write(text: string) {
  if (window.isSecureContext) return navigator.clipboard.writeText(text);
  // Over plain HTTP from another machine browsers give pages no clipboard, but for what is selected.
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
