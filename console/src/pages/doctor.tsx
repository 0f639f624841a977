import { useMutation } from "@tanstack/react-query";
import { Alert, Button, Checkbox, Tag } from "antd";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { errorOf } from "../api/client";
import { events } from "../api/events";
import { CodeBlock } from "../components/copy";
import { useMessage } from "../components/states";

/** What the doctor tells of one probe, as far as it is shown. */
type Finding = { name: string; about: string; verdict: string; detail: string };

/** Examines a provider while one looks on. */
export function Doctor({ name, mayWrite }: { name: string; mayWrite: boolean }) {
  const { t } = useTranslation();
  const message = useMessage();
  const [findings, setFindings] = useState<Finding[]>([]);
  const [report, setReport] = useState<string | null>(null);
  const [write, setWrite] = useState(false);
  const stopper = useRef<AbortController | null>(null);
  const run = useMutation({
    mutationFn: async () => {
      setFindings([]);
      setReport(null);
      stopper.current = new AbortController();
      const response = await fetch(`/admin/v1/providers/${encodeURIComponent(name)}/doctor`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-rixin-csrf": "1" },
        body: JSON.stringify({ write }),
        signal: stopper.current.signal,
      });
      if (!response.ok || response.body === null) throw errorOf(await response.json(), response.status);
      for await (const { event, data } of events(response.body)) {
        const told: unknown = JSON.parse(data);
        if (event === "finding") setFindings((before) => [...before, told as Finding]);
        else if (event === "report") setReport(JSON.stringify(told, null, 2));
        else if (event === "error") throw errorOf(told, response.status);
      }
    },
  });
  return (
    <>
      <h3>{t("doctor.title")}</h3>
      <p className="soft">{t("doctor.about")}</p>
      <div className="filters">
        {run.isPending ? (
          <Button onClick={() => stopper.current?.abort()}>{t("playground.stop")}</Button>
        ) : (
          <Button onClick={() => run.mutate()}>{t("doctor.run")}</Button>
        )}
        {mayWrite && (
          <Checkbox checked={write} onChange={(event) => setWrite(event.target.checked)} style={{ alignSelf: "center" }}>
            {t("doctor.write")}
          </Checkbox>
        )}
      </div>
      {run.error && <Alert type="error" showIcon title={message(run.error)} style={{ marginBottom: 10 }} />}
      <ul className="rows" aria-live="polite">
        {findings.map(({ name: probe, about, verdict, detail }) => (
          <li key={probe}>
            <span>
              {about} {detail && <span className="soft">{detail}</span>}
            </span>
            <Tag>{verdict}</Tag>
          </li>
        ))}
      </ul>
      {report !== null && <CodeBlock text={report} label={t("doctor.report")} />}
    </>
  );
}
