import { CheckCircleOutlined, CloseCircleOutlined, InfoCircleOutlined, QuestionCircleOutlined } from "@ant-design/icons";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Select, Spin, Table } from "antd";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, errorOf, type Schemas, taken } from "../../api/client";
import { events } from "../../api/events";
import { post } from "../../api/post";
import { CodeBlock } from "../../components/copy";
import { Problem } from "../../components/problem";
import { useExplain } from "../../explain";
import { NONE, useFormat } from "../../format";
import { toml } from "../../toml";

/** What the doctor tells of one probe, as far as it is shown. */
type Phrase = Schemas["PhraseView"];
type Finding = { name: string; about: string; about_phrase: Phrase; verdict: "yes" | "no" | "unknown" | "note"; detail: string; detail_phrase: Phrase | null };
type Difference = { field: string; known: unknown; found: unknown; meaning: string; phrase: Phrase | null };
type Report = {
  model: string;
  calls: number;
  budget: number;
  differences: Difference[];
  profile: Record<string, unknown>;
  context_length: number | null;
  context_told: boolean;
  verified: boolean | null;
  stopped: string | null;
  stopped_phrase: Phrase | null;
};

const WINDOW = "context_length";

const MARKS = {
  yes: <CheckCircleOutlined className="yes" />,
  no: <CloseCircleOutlined className="no" />,
  unknown: <QuestionCircleOutlined className="soft" />,
  note: <InfoCircleOutlined className="soft" />,
};

/** Examines a provider while one looks on, and takes over what is found. */
export function Doctor({ provider }: { provider: Schemas["ProviderDetail"] }) {
  const { t } = useTranslation();
  const explain = useExplain();
  const [findings, setFindings] = useState<Finding[]>([]);
  const [report, setReport] = useState<Report | null>(null);
  const [model, setModel] = useState<string | undefined>();
  const stopper = useRef<AbortController | null>(null);
  const run = useMutation({
    mutationFn: async () => {
      setFindings([]);
      setReport(null);
      stopper.current = new AbortController();
      const response = await post(`/admin/v1/providers/${encodeURIComponent(provider.name)}/doctor`, model === undefined ? {} : { model }, stopper.current.signal);
      if (response.body === null) return;
      for await (const { event, data } of events(response.body)) {
        const told: unknown = JSON.parse(data);
        if (event === "finding") setFindings((before) => [...before, told as Finding]);
        else if (event === "report") setReport(told as Report);
        else if (event === "error") throw errorOf(told, response.status);
      }
    },
  });
  const stopped = run.error instanceof DOMException && run.error.name === "AbortError";
  return (
    <section aria-labelledby="doctor">
      <h3 id="doctor">{t("doctor.title")}</h3>
      <p className="soft">{t("doctor.about")}</p>
      <div className="filters">
        <Select allowClear aria-label={t("doctor.model")} placeholder={t("doctor.model")} style={{ minWidth: 220 }} value={model ?? null} onChange={(value) => setModel(value ?? undefined)} options={provider.models.map((name) => ({ value: name, label: name }))} />
        {run.isPending ? <Button onClick={() => stopper.current?.abort()}>{t("doctor.stop")}</Button> : <Button onClick={() => run.mutate()}>{t("doctor.run")}</Button>}
        {run.isPending && (
          <span role="status">
            <Spin size="small" /> {t("doctor.progress", { count: findings.length })}
          </span>
        )}
      </div>
      <Problem error={stopped ? null : run.error} style={{ marginBottom: 10 }} />
      {report !== null && <Result key={report.model} report={report} provider={provider} />}
      {findings.length > 0 && (
        <details open={report === null}>
          <summary>{t("doctor.findings", { count: findings.length })}</summary>
          <ul className="rows" aria-live="polite">
            {findings.map(({ name, about, about_phrase, verdict, detail, detail_phrase }) => (
              <li key={name}>
                <span>
                  {MARKS[verdict]} {explain(about_phrase, about)} <span className="soft">{explain(detail_phrase, detail)}</span>
                </span>
                <span className="soft">{t(`doctor.${verdict}`)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

/** How what was found differs from what is known, to be taken over. */
function Result({ report, provider }: { report: Report; provider: Schemas["ProviderDetail"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const explain = useExplain();
  const queries = useQueryClient();
  const window: Difference[] = report.context_told && report.context_length !== null ? [{ field: WINDOW, known: null, found: report.context_length, phrase: null, meaning: t("doctor.window", { tokens: format.integer(report.context_length) }) }] : [];
  const differences = [...report.differences, ...window];
  const [chosen, setChosen] = useState(() => differences.map(({ field }) => field));
  const profile = Object.fromEntries(Object.entries(report.profile).filter(([field]) => chosen.includes(field)));
  const keeps = chosen.includes(WINDOW) ? report.context_length : null;
  const override = { name: report.model, context_length: keeps, ...(Object.keys(profile).length > 0 && { profile }) };
  const snippet = `overrides = [\n  ${toml(override)},\n]`;
  const keep = useMutation({
    mutationFn: () => taken(api.POST("/admin/v1/providers/{name}/doctor/keep", { params: { path: { name: provider.name } }, body: { model: report.model, profile, context_length: keeps } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["providers"] }),
  });
  return (
    <>
      <p>
        {t("doctor.done", { model: report.model, calls: report.calls, budget: report.budget })} {report.verified !== null && t(report.verified ? "doctor.verified" : "doctor.notVerified")}
      </p>
      {report.stopped && <Alert type="warning" showIcon title={explain(report.stopped_phrase, report.stopped)} style={{ marginBottom: 10 }} />}
      {differences.length === 0 ? (
        <Alert type="success" showIcon title={t("doctor.nothingNew")} style={{ marginBottom: 10 }} />
      ) : (
        <>
          <Table<Difference>
            size="small"
            rowKey="field"
            pagination={false}
            dataSource={differences}
            scroll={{ x: 560 }}
            rowSelection={{ selectedRowKeys: chosen, onChange: (keys) => setChosen(keys.map(String)), getCheckboxProps: ({ field }) => ({ "aria-label": field }) as object }}
            columns={[
              { title: t("doctor.finding"), render: (_, { field, meaning, phrase }) => (<><span className="mono">{field}</span><div className="soft">{explain(phrase, meaning)}</div></>) },
              { title: t("doctor.known"), render: (_, { known }) => <del className="mono">{shown(known)}</del> },
              { title: t("doctor.found"), render: (_, { found }) => <ins className="mono">{shown(found)}</ins> },
            ]}
          />
          <Problem error={keep.error} style={{ margin: "10px 0" }} />
          {keep.isSuccess && <Alert type="success" showIcon title={t("doctor.kept")} style={{ margin: "10px 0" }} />}
          {provider.source === "stored" ? (
            !keep.isSuccess && (
              <Button type="primary" style={{ margin: "10px 0" }} disabled={chosen.length === 0} loading={keep.isPending} onClick={() => keep.mutate()}>
                {t("doctor.keep", { count: chosen.length })}
              </Button>
            )
          ) : (
            <>
              <p>{t("doctor.inFile", { name: provider.name })}</p>
              <CodeBlock label={t("doctor.snippet")} text={snippet} />
            </>
          )}
        </>
      )}
    </>
  );
}

function shown(value: unknown): string {
  if (value === null || value === undefined || (typeof value === "object" && Object.keys(value).length === 0)) return NONE;
  return typeof value === "string" ? value : JSON.stringify(value);
}
