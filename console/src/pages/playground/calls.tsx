import { ToolOutlined } from "@ant-design/icons";
import { Button, Form, Input } from "antd";
import { useTranslation } from "react-i18next";

import type { Call } from "./turn";

/** What a model wants a tool to do. */
export function CallCard({ call }: { call: Call }) {
  const { t } = useTranslation();
  return (
    <section className="call" aria-label={t("playground.callOf", { name: call.name })}>
      <strong>
        <ToolOutlined aria-hidden /> <span className="mono">{call.name}</span>
      </strong>
      <pre>{pretty(call.arguments)}</pre>
    </section>
  );
}

/** Where the results of calls are given, by who plays the tools. */
export function Results({ calls, give }: { calls: Call[]; give: (results: string[]) => void }) {
  const { t } = useTranslation();
  return (
    <Form<{ results: string[] }> layout="vertical" className="results" onFinish={({ results }) => give(results)}>
      <p className="soft">{t("playground.resultsAbout")}</p>
      {calls.map((call, index) => (
        <Form.Item key={call.id} name={["results", index]} label={t("playground.resultOf", { name: call.name })} initialValue="">
          <Input.TextArea className="grows mono" rows={2} />
        </Form.Item>
      ))}
      <Button type="primary" htmlType="submit">
        {t("playground.goOn")}
      </Button>
    </Form>
  );
}

/** JSON with its lines broken; what is no JSON, or not yet, as it came. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
