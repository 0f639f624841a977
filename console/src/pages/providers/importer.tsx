import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Checkbox, Input, Modal, Select, Table, Tag } from "antd";
import { type ChangeEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { Problem } from "../../components/problem";

type Text = { format: "mimo2codex" | "litellm"; text: string };

/** Imports another program's providers: shows what would be added, then adds what is chosen. */
export function Importer({ open, close }: { open: boolean; close: () => void }) {
  const { t } = useTranslation();
  const [wish, setWish] = useState<Text>({ format: "mimo2codex", text: "" });
  const read = useMutation({ mutationFn: () => taken(api.POST("/admin/v1/providers/import/preview", { body: wish })) });
  const leave = () => {
    setWish({ format: "mimo2codex", text: "" });
    read.reset();
    close();
  };
  const take = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    if (file) setWish({ format: /\.ya?ml$/i.test(file.name) ? "litellm" : "mimo2codex", text: await file.text() });
  };
  return (
    <Modal open={open} onCancel={leave} width={860} title={t("providers.import")} footer={null} destroyOnHidden>
      {read.data ? (
        <Found wish={wish} preview={read.data} leave={leave} />
      ) : (
        <>
          <p className="soft">{t("providers.importAbout")}</p>
          <div className="filters">
            <Select aria-label={t("providers.format")} value={wish.format} style={{ width: 220 }} onChange={(format) => setWish({ ...wish, format })} options={(["mimo2codex", "litellm"] as const).map((value) => ({ value, label: t(`providers.${value}`) }))} />
            <input type="file" accept=".json,.yaml,.yml" aria-label={t("providers.file")} onChange={(event) => void take(event)} />
          </div>
          <Input.TextArea className="mono" rows={12} aria-label={t("providers.text")} placeholder={t("providers.text")} value={wish.text} onChange={(event) => setWish({ ...wish, text: event.target.value })} />
          <Problem error={read.error} style={{ marginTop: 12 }} />
          <Button type="primary" style={{ marginTop: 12 }} disabled={wish.text.trim() === ""} loading={read.isPending} onClick={() => read.mutate()}>
            {t("providers.preview")}
          </Button>
        </>
      )}
    </Modal>
  );
}

function Found({ wish, preview, leave }: { wish: Text; preview: Schemas["ImportPreview"]; leave: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [names, setNames] = useState(() => preview.data.filter(({ exists }) => exists === null).map(({ provider }) => provider.name));
  const [keys, setKeys] = useState<Record<string, string>>({});
  const [replace, setReplace] = useState(false);
  const add = useMutation({
    mutationFn: () => {
      const given = Object.entries(keys).map(([name, text]) => [name, text.split(/\s+/).filter(Boolean)] as const);
      return taken(api.POST("/admin/v1/providers/import", { body: { ...wish, names, replace, keys: Object.fromEntries(given.filter(([name, some]) => some.length > 0 && names.includes(name))) } }));
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["providers"] });
      void queries.invalidateQueries({ queryKey: ["models"] });
      leave();
    },
  });
  return (
    <>
      {preview.warnings.map((warning) => (
        <Alert key={warning} type="warning" showIcon title={warning} style={{ marginBottom: 8 }} />
      ))}
      <Table<Schemas["ImportedView"]>
        size="small"
        rowKey={({ provider }) => provider.name}
        dataSource={preview.data}
        pagination={false}
        scroll={{ x: 760 }}
        rowSelection={{
          selectedRowKeys: names,
          onChange: (chosen) => setNames(chosen.map(String)),
          getCheckboxProps: ({ provider, exists }) => ({ disabled: exists === "configured" || (exists === "stored" && !replace), "aria-label": provider.name }) as object,
        }}
        columns={[
          {
            title: t("providers.name"),
            render: (_, { provider, exists }) => (
              <>
                <strong>{provider.name}</strong> {exists !== null && <Tag>{t("providers.exists")}</Tag>}
                <div className="mono soft">{provider.base_url}</div>
              </>
            ),
          },
          { title: t("providers.models"), render: (_, { provider }) => <span className="mono">{provider.models.join(", ") || t("providers.asked")}</span> },
          { title: t("providers.rewrites"), render: (_, { rewrites }) => Object.keys(rewrites).map((field) => <Tag key={field}>{field}</Tag>) },
          {
            title: t("providers.key"),
            render: (_, { provider }) => (
              <Input.Password
                autoComplete="off"
                aria-label={t("providers.keyOf", { name: provider.name })}
                placeholder={provider.api_keys.join(" ") || t("providers.noKeyYet")}
                value={keys[provider.name] ?? ""}
                onChange={(event) => setKeys({ ...keys, [provider.name]: event.target.value })}
              />
            ),
          },
        ]}
      />
      {preview.data.some(({ exists }) => exists === "stored") && (
        <Checkbox checked={replace} onChange={(event) => setReplace(event.target.checked)} style={{ marginTop: 12 }}>
          {t("providers.replace")}
        </Checkbox>
      )}
      <Problem error={add.error} style={{ marginTop: 12 }} />
      <div style={{ marginTop: 12 }}>
        <Button type="primary" disabled={names.length === 0} loading={add.isPending} onClick={() => add.mutate()}>
          {t("providers.addCount", { count: names.length })}
        </Button>
      </div>
    </>
  );
}
