import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Descriptions, Form, Input, InputNumber, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { api, type Schemas, taken } from "../../api/client";
import { can, useUser } from "../../api/session";
import { CodeBlock } from "../../components/copy";
import { Problem } from "../../components/problem";
import { NONE, useFormat } from "../../format";
import { toml } from "../../toml";
import { usePrice } from "./price";

type Candidate = Schemas["CandidateView"];
type Provider = Schemas["ProviderInfo"];

const LOCAL = "local";
const FULL = { width: "100%" };

/** All that is known of a name: limits, prices, and who answers for it. */
export function Detail({ model }: { model: Schemas["ModelView"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const price = usePrice();
  const { role } = useUser();
  const reads = can.read(role);
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => taken(api.GET("/admin/v1/providers")), enabled: reads });
  const tokens = (value: number | null) => (value === null ? NONE : format.integer(value));
  const tags = (words: string[]) => (words.length === 0 ? NONE : words.map((word) => <Tag key={word}>{word}</Tag>));
  return (
    <>
      <Descriptions
        size="small"
        bordered
        column={1}
        styles={{ label: { width: 170 } }}
        items={[
          { key: "target", label: t("models.target"), children: <span className="mono">{model.target}</span> },
          { key: "context", label: t("models.context"), children: tokens(model.context_length) },
          { key: "output", label: t("models.output"), children: tokens(model.max_output_length) },
          { key: "price", label: t("models.price"), children: price(model.pricing) },
          { key: "takes", label: t("models.takes"), children: `${model.input_modalities.join(", ")} → ${model.output_modalities.join(", ")}` },
          { key: "features", label: t("models.features"), children: tags(model.features) },
          { key: "efforts", label: t("models.efforts"), children: tags(model.efforts) },
          { key: "plan", label: t("models.plan"), children: model.plan ?? NONE },
        ]}
      />
      <h3>{t("models.answers")}</h3>
      <p className="soft">{t("models.answersAbout")}</p>
      {model.candidates.length === 0 && <p className="soft">{t("models.nobody")}</p>}
      {model.candidates.map((candidate, index) => (
        <Way key={`${candidate.provider} ${candidate.model}`} place={index + 1} candidate={candidate} provider={providers.data?.data.find(({ name }) => name === candidate.provider)} manages={can.manage(role)} />
      ))}
    </>
  );
}

/** One of those who answer: its rank, what is said of its limits, its other names. Changed here where it is stored. */
function Way({ place, candidate, provider, manages }: { place: number; candidate: Candidate; provider: Provider | undefined; manages: boolean }) {
  const { t } = useTranslation();
  return (
    <section className="way" aria-label={candidate.provider}>
      <div className="engine-head">
        <span>
          <Tag color="blue">{place}</Tag>{" "}
          {provider === undefined ? <strong>{candidate.provider === LOCAL ? t("models.local") : candidate.provider}</strong> : <Link to={{ pathname: "/providers", search: new URLSearchParams({ provider: provider.name }).toString() }}>{provider.name}</Link>} <span className="mono soft">{candidate.model}</span>
        </span>
        <span className="soft">{t("models.rankOf", { priority: candidate.priority, weight: candidate.weight })}</span>
      </div>
      {provider?.source === "stored" && manages && <Change candidate={candidate} provider={provider} />}
      {provider?.source === "configured" && (
        <>
          <Alert type="info" showIcon title={t("models.providerInFile", { name: provider.name })} style={{ margin: "10px 0" }} />
          <CodeBlock label={t("models.snippet")} text={snippet(candidate, provider)} />
        </>
      )}
    </section>
  );
}

type Wish = { priority: number; weight: number; context_length?: number | null; max_output_length?: number | null };

function Change({ candidate, provider }: { candidate: Candidate; provider: Provider }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [form] = Form.useForm<Wish>();
  const [alias, setAlias] = useState("");
  const known = provider.overrides.find(({ name }) => name === candidate.model);
  const aliases = Object.entries(provider.aliases).filter(([, target]) => target === candidate.model);
  const save = useMutation({
    mutationFn: (body: Schemas["ProviderChange"]) => taken(api.PATCH("/admin/v1/providers/{name}", { params: { path: { name: provider.name } }, body })),
    onSuccess: () => Promise.all([queries.invalidateQueries({ queryKey: ["providers"] }), queries.invalidateQueries({ queryKey: ["models"] })]),
  });
  const saveRank = ({ priority, weight, context_length, max_output_length }: Wish) => {
    const said = { ...known, name: candidate.model, context_length: context_length ?? null, max_output_length: max_output_length ?? null };
    const touched = form.isFieldsTouched(["context_length"]) || form.isFieldsTouched(["max_output_length"]);
    const others = provider.overrides.filter(({ name }) => name !== candidate.model);
    save.mutate({ options: { priority, weight }, ...(touched && { overrides: [...others, said] }) });
  };
  return (
    <>
      <Form<Wish> form={form} layout="vertical" size="small" onFinish={saveRank} initialValues={{ priority: candidate.priority, weight: candidate.weight, context_length: known?.["context_length"], max_output_length: known?.["max_output_length"] }}>
        <div className="pair">
          <Form.Item name="priority" label={t("models.priority")} extra={t("models.rankAbout")}>
            <InputNumber style={FULL} precision={0} />
          </Form.Item>
          <Form.Item name="weight" label={t("models.weight")}>
            <InputNumber style={FULL} min={0} />
          </Form.Item>
          <Form.Item name="context_length" label={t("models.context")} extra={t("models.limitAbout")}>
            <InputNumber style={FULL} min={1} precision={0} placeholder={t("models.asTold")} />
          </Form.Item>
          <Form.Item name="max_output_length" label={t("models.output")}>
            <InputNumber style={FULL} min={1} precision={0} placeholder={t("models.asTold")} />
          </Form.Item>
        </div>
        <Button size="small" htmlType="submit" loading={save.isPending}>
          {t("models.save")}
        </Button>
      </Form>
      <div className="filters" style={{ margin: "14px 0 0", alignItems: "center" }}>
        <span className="soft">{t("models.otherNames")}</span>
        {aliases.map(([name]) => (
          <Tag key={name} className="mono">
            {name}{" "}
            <Button type="text" size="small" aria-label={t("actions.deleteNamed", { name })} onClick={() => save.mutate({ aliases: Object.fromEntries(Object.entries(provider.aliases).filter(([other]) => other !== name)) })}>
              ×
            </Button>
          </Tag>
        ))}
        <Input.Search
          size="small"
          style={{ width: 260 }}
          aria-label={t("models.addName")}
          placeholder={t("models.addName")}
          enterButton={t("models.add")}
          value={alias}
          onChange={(event) => setAlias(event.target.value)}
          onSearch={(name) => {
            if (name.trim() === "") return;
            save.mutate({ aliases: { ...provider.aliases, [name.trim()]: candidate.model } });
            setAlias("");
          }}
        />
      </div>
      <Problem error={save.error} style={{ marginTop: 10 }} />
      {save.isSuccess && <Alert type="success" showIcon title={t("models.saved")} style={{ marginTop: 10 }} />}
    </>
  );
}

/** What the provider's table of the settings file says of it, to go on from. */
function snippet(candidate: Candidate, provider: Provider): string {
  const known = provider.overrides.find(({ name }) => name === candidate.model);
  const limits = { name: candidate.model, context_length: known?.["context_length"] ?? 131072, max_output_length: known?.["max_output_length"] ?? 8192 };
  const aliases = Object.keys(provider.aliases).length > 0 ? provider.aliases : { "another-name": candidate.model };
  return ["[[providers]]", `name = ${toml(provider.name)}`, `priority = ${candidate.priority}`, `weight = ${candidate.weight}`, `aliases = ${toml(aliases)}`, `overrides = [${toml(limits)}]`].join("\n");
}
