import { Alert, Button, Form, Input, Tag } from "antd";
import { useTranslation } from "react-i18next";

import { EXAMPLE_TOOLS, readTools } from "./tools";

/** Where tools are defined by their JSON. */
export function ToolForm({ value, change, has }: { value: string; change: (value: string) => void; has: boolean }) {
  const { t } = useTranslation();
  const read = readTools(value);
  const problem = typeof read === "string" ? t(`playground.${read}`) : null;
  return (
    <Form layout="vertical">
      <p className="soft">{t("playground.toolsAbout")}</p>
      {!has && <Alert type="info" showIcon title={t("playground.noTools")} style={{ marginBottom: 12 }} />}
      <Form.Item label={t("playground.definitions")} htmlFor="tools" {...(problem && { validateStatus: "error" as const, help: problem })}>
        <Input.TextArea id="tools" className="grows mono tall" rows={12} spellCheck={false} value={value} onChange={(event) => change(event.target.value)} />
      </Form.Item>
      <div className="filters">
        {typeof read !== "string" && read.map(({ name }) => <Tag key={name}>{name}</Tag>)}
        <Button size="small" onClick={() => change(EXAMPLE_TOOLS)}>
          {t("playground.example")}
        </Button>
        <Button size="small" type="text" onClick={() => change("")}>
          {t("presets.none")}
        </Button>
      </div>
    </Form>
  );
}
