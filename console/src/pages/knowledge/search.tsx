import { useMutation } from "@tanstack/react-query";
import { Button, Input, Select, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { Problem } from "../../components/problem";

const MODES = ["hybrid", "text", "vector"] as const;
const LIMIT = 10;

/** Tries out what a knowledge base gives for a question. */
export function Search({ id }: { id: string }) {
  const { t } = useTranslation();
  const [question, setQuestion] = useState("");
  const [mode, setMode] = useState<(typeof MODES)[number]>("hybrid");
  const search = useMutation({
    mutationFn: () => taken(api.POST("/admin/v1/knowledge-bases/{base_id}/search", { params: { path: { base_id: id } }, body: { question, mode, limit: LIMIT } })),
  });
  const ask = () => {
    if (question.trim()) search.mutate();
  };
  const found = search.data;
  return (
    <section className="panel" aria-label={t("knowledge.search")}>
      <h2>{t("knowledge.search")}</h2>
      <p className="soft">{t("knowledge.searchAbout")}</p>
      <div className="filters">
        <Input value={question} onChange={(event) => setQuestion(event.target.value)} onPressEnter={ask} placeholder={t("knowledge.question")} aria-label={t("knowledge.question")} style={{ flex: "1 1 260px" }} />
        <Select aria-label={t("knowledge.mode")} value={mode} onChange={setMode} style={{ width: 190 }} options={MODES.map((value) => ({ value, label: t(`knowledge.${value}`) }))} />
        <Button type="primary" loading={search.isPending} onClick={ask}>
          {t("knowledge.ask")}
        </Button>
      </div>
      <Problem error={search.error} />
      <div aria-live="polite">
        {found?.answer != null && (
          <div className="hit">
            <div className="hit-head">
              <Tag color="blue">{t("knowledge.answer")}</Tag>
              <span className="soft">{t("knowledge.answerScore", { score: found.answer_score?.toFixed(2) })}</span>
            </div>
            <p>{found.answer}</p>
          </div>
        )}
        {found?.hits.length === 0 && <p className="soft">{t("knowledge.nothingFound")}</p>}
        {found?.hits.map((hit, place) => (
          <Hit key={place} hit={hit} />
        ))}
      </div>
    </section>
  );
}

function Hit({ hit }: { hit: Schemas["HitView"] }) {
  const { t } = useTranslation();
  return (
    <article className="hit">
      <div className="hit-head">
        <strong>{t("knowledge.score", { score: hit.score.toFixed(3) })}</strong>
        {hit.text_rank !== null && <Tag>{t("knowledge.byText", { rank: hit.text_rank })}</Tag>}
        {hit.vector_rank !== null && <Tag color="blue">{t("knowledge.byVector", { rank: hit.vector_rank })}</Tag>}
        <span className="soft name">
          {hit.document}
          {hit.page !== null && `, ${t("knowledge.page", { page: hit.page })}`}
          {hit.heading && ` › ${hit.heading}`}
        </span>
      </div>
      <p>{hit.text}</p>
    </article>
  );
}
