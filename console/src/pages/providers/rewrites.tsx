import { DeleteOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Button, Input, InputNumber, Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { useExplain } from "../../explain";

export type Profile = Record<string, unknown>;

type Field = Schemas["RewriteFieldView"];

/** How what the server says of a source begins; a name may follow. */
const SOURCE = /^(settings|learned|preset|documentation of)(?!\w)/;

/** What is done to requests and answers, and whose word that is. */
export function Rewrites({ groups }: { groups: Schemas["RewritesView"][] }) {
  const { t } = useTranslation();
  const explain = useExplain();
  const source = (text: string) => text.replace(SOURCE, (word) => t(`providers.by_${word.split(" ")[0]}` as "providers.by_settings"));
  const telling = groups.filter((group) => group.facts.length > 0);
  if (telling.length === 0) return <p className="soft">{t("providers.noRewrites")}</p>;
  return telling.map((group) => (
    <section key={group.models.join()}>
      <strong {...(group.models.length > 0 && { className: "mono" })}>{group.models.join(", ") || t("providers.otherModels")}</strong>
      <ul className="facts">
        {group.facts.map((fact) => (
          <li key={fact.field}>
            {explain(fact.phrase, fact.meaning)} <span className="soft">({fact.sources.map(source).join(", ")})</span>
          </li>
        ))}
      </ul>
    </section>
  ));
}

/** Rules of one's own, field by field. */
export function RewriteEditor({ profile, change }: { profile: Profile; change: (profile: Profile) => void }) {
  const { t } = useTranslation();
  const fields = useQuery({ queryKey: ["rewrite-fields"], queryFn: () => taken(api.GET("/admin/v1/rewrite-fields")), staleTime: Infinity });
  const known = fields.data?.data ?? [];
  const set = (name: string, value: unknown) => change({ ...profile, [name]: value });
  const without = (name: string) => change(Object.fromEntries(Object.entries(profile).filter(([other]) => other !== name)));
  return (
    <div className="rules">
      {Object.entries(profile).map(([name, value]) => (
        <div className="rule" key={name}>
          <span className="mono">{name}</span>
          <Control field={known.find((field) => field.name === name)} name={name} value={value} change={(next) => set(name, next)} />
          <Button type="text" icon={<DeleteOutlined aria-hidden />} aria-label={t("actions.deleteNamed", { name })} onClick={() => without(name)} />
        </div>
      ))}
      <Select
        showSearch
        value={null}
        style={{ width: "100%" }}
        aria-label={t("providers.addRule")}
        placeholder={t("providers.addRule")}
        onChange={(name: string) => set(name, first(known.find((field) => field.name === name)))}
        options={known.filter(({ name }) => !(name in profile)).map(({ name }) => ({ value: name, label: name }))}
      />
    </div>
  );
}

function Control({ field, name, value, change }: { field: Field | undefined; name: string; value: unknown; change: (value: unknown) => void }) {
  const explain = useExplain();
  if (field?.kind === "choice")
    return (
      <Select
        aria-label={name}
        value={JSON.stringify(value)}
        onChange={(text) => change(JSON.parse(text))}
        options={field.choices.map((choice) => ({ value: JSON.stringify(choice.value), label: explain(choice.phrase, choice.meaning), title: String(choice.value) }))}
      />
    );
  if (field?.kind === "names") return <Select mode="tags" open={false} aria-label={name} value={value as string[]} onChange={change} />;
  if (field?.kind === "number") return <InputNumber min={1} aria-label={name} value={value as number} onChange={(number) => change(number ?? 1)} />;
  if (field?.kind === "text") return <Input aria-label={name} value={value as string} onChange={(event) => change(event.target.value)} />;
  return <Table name={name} value={value} change={change} />;
}

/** A table, as JSON: counts once it is some. */
function Table({ name, value, change }: { name: string; value: unknown; change: (value: unknown) => void }) {
  const [text, setText] = useState(() => JSON.stringify(value));
  const read = parsed(text);
  return (
    <Input
      className="mono"
      aria-label={name}
      value={text}
      {...(read === undefined && { status: "error" as const })}
      onChange={(event) => {
        setText(event.target.value);
        const next = parsed(event.target.value);
        if (next !== undefined) change(next);
      }}
    />
  );
}

function parsed(text: string): Profile | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Profile) : undefined;
  } catch {
    return undefined;
  }
}

/** What a rule says at first. */
function first(field: Field | undefined): unknown {
  if (field === undefined) return null;
  return { choice: field.choices[0]?.value as unknown, names: [], table: {}, text: "", number: 64 }[field.kind] ?? {};
}
