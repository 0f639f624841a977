import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Badge, Button, Input, Popconfirm, Progress, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { Copy } from "../../components/copy";
import { OwnerName } from "../../components/owner";
import { Problem } from "../../components/problem";
import { Loaded, Nothing } from "../../components/states";
import { useFormat } from "../../format";
import { Adder } from "./adder";
import { Search } from "./search";

type Document = Schemas["DocumentView"];

const LOOK_AGAIN_MS = 1000;
const BADGES = { uploaded: "processing", valid: "success", invalid: "error" } as const;

/** A knowledge base: what it is about, its files and how far they are, and a search in them. */
export function Base({ id, holds, gone }: { id: string; holds: boolean; gone: () => void }) {
  const base = useQuery({
    queryKey: ["base", id],
    queryFn: () => taken(api.GET("/admin/v1/knowledge-bases/{base_id}", { params: { path: { base_id: id } } })),
    refetchInterval: ({ state }) => (state.data?.documents.some(({ status }) => status === "uploaded") ? LOOK_AGAIN_MS : false),
  });
  return (
    <div>
      <Loaded query={base}>
        {(found) => (
          <>
            <Head base={found} holds={holds} gone={gone} />
            <Documents base={found} holds={holds} />
            {holds && <Search id={id} />}
          </>
        )}
      </Loaded>
    </div>
  );
}

function Head({ base, holds, gone }: { base: Schemas["BaseView"]; holds: boolean; gone: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [draft, setDraft] = useState<string | null>(null);
  const path = { base_id: base.id };
  const change = useMutation({
    mutationFn: (description: string) => taken(api.PATCH("/admin/v1/knowledge-bases/{base_id}", { params: { path }, body: { description } })),
    onSuccess: (changed) => {
      queries.setQueryData(["base", base.id], changed);
      setDraft(null);
      return queries.invalidateQueries({ queryKey: ["bases"] });
    },
  });
  const remove = useMutation({
    mutationFn: () => taken(api.DELETE("/admin/v1/knowledge-bases/{base_id}", { params: { path } })),
    onSuccess: () => {
      gone();
      queries.removeQueries({ queryKey: ["base", base.id] });
      return queries.invalidateQueries({ queryKey: ["bases"] });
    },
  });
  const error = change.error ?? remove.error;
  return (
    <section className="panel">
      {draft === null ? (
        <h2>{base.description || t("knowledge.unnamed")}</h2>
      ) : (
        <div className="filters">
          <Input value={draft} onChange={(event) => setDraft(event.target.value)} onPressEnter={() => change.mutate(draft)} aria-label={t("knowledge.description")} style={{ maxWidth: 480 }} />
          <Button type="primary" loading={change.isPending} onClick={() => change.mutate(draft)}>
            {t("knowledge.save")}
          </Button>
          <Button onClick={() => setDraft(null)}>{t("actions.cancel")}</Button>
        </div>
      )}
      <p className="soft">
        <OwnerName owner={base.owner} /> · {t("knowledge.id")} <span className="mono">{base.id}</span>
      </p>
      <div className="filters" style={{ margin: 0 }}>
        <Copy text={base.id} />
        {holds && draft === null && (
          <Button size="small" onClick={() => setDraft(base.description)}>
            {t("knowledge.edit")}
          </Button>
        )}
        {holds && (
          <Popconfirm title={t("knowledge.deleteSure")} okText={t("actions.delete")} cancelText={t("actions.cancel")} okButtonProps={{ danger: true }} onConfirm={() => remove.mutateAsync().catch(() => undefined)}>
            <Button size="small" danger>
              {t("actions.delete")}
            </Button>
          </Popconfirm>
        )}
      </div>
      <Problem error={error} style={{ marginTop: 12 }} />
    </section>
  );
}

function Documents({ base, holds }: { base: Schemas["BaseView"]; holds: boolean }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [adding, setAdding] = useState(false);
  const take = useMutation({
    mutationFn: (file_id: string) => taken(api.DELETE("/admin/v1/knowledge-bases/{base_id}/files/{file_id}", { params: { path: { base_id: base.id, file_id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["base", base.id] }),
  });
  return (
    <section className="panel">
      <div className="heading-row" style={{ marginBottom: 12 }}>
        <h2>{t("knowledge.files")}</h2>
        {holds && <Button onClick={() => setAdding(true)}>{t("knowledge.addFiles")}</Button>}
      </div>
      <Problem error={take.error} />
      {base.documents.length === 0 ? (
        <Nothing text={t("knowledge.noFiles")} />
      ) : (
        <Table<Document>
          size="small"
          rowKey="file_id"
          dataSource={base.documents}
          pagination={false}
          scroll={{ x: 560 }}
          columns={[
            { title: t("files.name"), render: (_, document) => <span className="name">{document.name}</span> },
            { title: t("knowledge.status"), width: 260, render: (_, document) => <State document={document} /> },
            {
              title: t("actions.title"),
              width: 110,
              render: (_, document) =>
                holds && (
                  <Popconfirm
                    title={t("knowledge.takeSure", { name: document.name })}
                    okText={t("knowledge.take")}
                    cancelText={t("actions.cancel")}
                    onConfirm={() => take.mutateAsync(document.file_id).catch(() => undefined)}
                  >
                    <Button size="small" type="text" danger aria-label={t("knowledge.takeNamed", { name: document.name })}>
                      {t("knowledge.take")}
                    </Button>
                  </Popconfirm>
                ),
            },
          ]}
        />
      )}
      <Adder base={base} open={adding} close={() => setAdding(false)} />
    </section>
  );
}

function State({ document }: { document: Document }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { status, passages, indexed, error } = document;
  return (
    <>
      <Badge status={BADGES[status]} text={t(`knowledge.${status}`)} />
      {status === "uploaded" &&
        (passages ? (
          <>
            <Progress percent={Math.round((indexed / passages) * 100)} size="small" aria-label={t("knowledge.progressOf", { name: document.name })} />
            <div className="soft">{t("knowledge.indexed", { indexed: format.integer(indexed), passages: format.integer(passages) })}</div>
          </>
        ) : (
          <div className="soft">{t("knowledge.waiting")}</div>
        ))}
      {status === "valid" && <div className="soft">{t("knowledge.passagesOf", { count: passages ?? 0 })}</div>}
      {error !== null && <div className="wrong">{error}</div>}
    </>
  );
}
