import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Form, type FormInstance, Input, InputNumber, Modal, Select } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { Problem } from "../../components/problem";
import { useMessage } from "../../components/states";
import { type Profile, RewriteEditor, Rewrites } from "./rewrites";

const PAUSE_MS = 400; // of typing, after which an address is looked up
const PLAIN = "generic"; // the preset of which nothing is known

type Wish = { base_url: string; name: string; api_key?: string; preset?: string | null; models?: string[]; priority?: number | null; weight?: number | null };

/** Adds a provider or, where one is given, changes it. What was set by hand is never overridden by what is found. */
export function Editor({ open, provider, close, done }: { open: boolean; provider?: Schemas["ProviderDetail"]; close: () => void; done: (name: string) => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [form] = Form.useForm<Wish>();
  const own = provider !== undefined && Object.keys(provider.profile).length > 0 ? provider.profile : null;
  const [profile, setProfile] = useState<Profile | null>(own);
  const save = useMutation({
    mutationFn: (wish: Wish) => {
      const body = changed(form, wish, profile, provider);
      if (provider === undefined) return taken(api.POST("/admin/v1/providers", { body: { ...body, name: wish.name, base_url: wish.base_url } }));
      return taken(api.PATCH("/admin/v1/providers/{name}", { params: { path: { name: provider.name } }, body }));
    },
    onSuccess: (saved) => {
      void queries.invalidateQueries({ queryKey: ["providers"] });
      void queries.invalidateQueries({ queryKey: ["models"] });
      leave();
      done(saved.name);
    },
  });
  const leave = () => {
    form.resetFields();
    setProfile(own);
    save.reset();
    close();
  };
  const title = t(provider === undefined ? "upstreams.add" : "providers.edit");
  return (
    <Modal open={open} onCancel={leave} width={680} title={title} okText={t(provider === undefined ? "upstreams.add" : "providers.save")} cancelText={t("actions.cancel")} onOk={() => form.submit()} confirmLoading={save.isPending} destroyOnHidden>
      <Form<Wish> form={form} layout="vertical" onFinish={save.mutate} requiredMark={false} initialValues={initial(provider)} preserve={false}>
        <Form.Item name="base_url" label={t("providers.address")} rules={[{ required: true }]} extra={t("providers.addressAbout")}>
          <Input inputMode="url" autoComplete="off" spellCheck={false} />
        </Form.Item>
        <Known form={form} open={open} isNew={provider === undefined} profile={profile} setProfile={setProfile} />
        {provider === undefined && (
          <Form.Item name="name" label={t("providers.name")} rules={[{ required: true }]}>
            <Input autoComplete="off" />
          </Form.Item>
        )}
        <Form.Item name="api_key" label={t("providers.key")} extra={t("providers.keyAbout")}>
          <Input.Password autoComplete="off" {...(provider !== undefined && { placeholder: t("providers.keyStays") })} />
        </Form.Item>
        <Form.Item name="models" label={t("providers.models")}>
          <Select mode="tags" open={false} placeholder={t("providers.asked")} />
        </Form.Item>
        <div className="pair">
          <Form.Item name="priority" label={t("providers.priority")} extra={t("providers.priorityAbout")}>
            <InputNumber precision={0} placeholder="0" style={{ width: "100%" }} />
          </Form.Item>
          <Form.Item name="weight" label={t("providers.weight")} extra={t("providers.weightAbout")}>
            <InputNumber min={0} placeholder="1" style={{ width: "100%" }} />
          </Form.Item>
        </div>
        <Problem error={save.error} />
      </Form>
    </Modal>
  );
}

/** The preset, what is known of the address by it, and what that rewrites. */
function Known({ form, open, isNew, profile, setProfile }: { form: FormInstance<Wish>; open: boolean; isNew: boolean; profile: Profile | null; setProfile: (profile: Profile | null) => void }) {
  const { t } = useTranslation();
  const message = useMessage();
  const asked = useSettled(JSON.stringify({ base_url: Form.useWatch("base_url", form) ?? "", preset: Form.useWatch("preset", form) || null, profile: profile ?? {} }));
  const wish = JSON.parse(asked) as Schemas["PreviewWish"];
  const presets = useQuery({ queryKey: ["presets"], queryFn: () => taken(api.GET("/admin/v1/presets")), enabled: open });
  const preview = useQuery({
    queryKey: ["preview", asked],
    queryFn: () => taken(api.POST("/admin/v1/providers/preview", { body: wish })),
    enabled: open && /^https?:\/\/\S/.test(wish.base_url),
    placeholderData: (before) => before,
    retry: false,
  });
  const found = preview.error ? undefined : preview.data;
  useEffect(() => {
    if (!found || !isNew || form.isFieldTouched("name")) return;
    const value = found.preset.name === PLAIN ? new URL(found.base_url).hostname.replaceAll(".", "-") : found.preset.name;
    form.setFields([{ name: "name", value, touched: false }]);
  }, [found, form, isNew]);
  const choose = (name: string | null | undefined) => {
    const preset = presets.data?.data.find((one) => one.name === name);
    if (isNew && preset?.base_url && !form.isFieldTouched("base_url")) form.setFields([{ name: "base_url", value: preset.base_url, touched: false }]);
  };
  const say = (preset: string | null, rules: Profile | null) => {
    form.setFields([{ name: "preset", value: preset, touched: true }]);
    setProfile(rules);
  };
  const rewrites = found?.rewrites.some((group) => group.facts.length > 0);
  return (
    <>
      <Form.Item name="preset" label={t("providers.preset")} extra={t("providers.presetAbout")}>
        <Select allowClear showSearch optionFilterProp="label" onChange={choose} placeholder={t("providers.automatic")} options={presets.data?.data.map(({ name, title }) => ({ value: name, label: title })) ?? []} />
      </Form.Item>
      {preview.error && <Alert type="warning" showIcon title={message(preview.error)} style={{ marginBottom: 16 }} />}
      {found && (
        <Alert
          type="info"
          showIcon
          style={{ marginBottom: 16 }}
          title={t("providers.found", { title: found.preset.title })}
          description={
            <>
              {found.preset.key_is_set && <p>{t("providers.keyIsSet", { variables: found.preset.key_variables.join(", ") })}</p>}
              {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard */}
              <div className="scrolls" role="region" tabIndex={0} aria-label={t("providers.rewrites")}>
                <Rewrites groups={found.rewrites} />
              </div>
              <div className="filters" style={{ margin: "10px 0 0" }}>
                {profile === null && rewrites && found.preset.name !== PLAIN && (
                  <Button size="small" onClick={() => say(PLAIN, {})}>
                    {t("providers.clear")}
                  </Button>
                )}
                {profile === null && (
                  <Button size="small" onClick={() => setProfile({})}>
                    {t("providers.customise")}
                  </Button>
                )}
                {profile !== null && (
                  <Button size="small" onClick={() => say(null, null)}>
                    {t("providers.backToAutomatic")}
                  </Button>
                )}
              </div>
            </>
          }
        />
      )}
      {profile !== null && (
        <Form.Item label={t("providers.ownRules")} extra={t("providers.ownRulesAbout")}>
          <RewriteEditor profile={profile} change={setProfile} />
        </Form.Item>
      )}
    </>
  );
}

function initial(provider: Schemas["ProviderDetail"] | undefined): Partial<Wish> {
  if (provider === undefined) return {};
  const { priority, weight } = provider.options as { priority?: number; weight?: number };
  return { base_url: provider.base_url, preset: provider.preset, models: provider.models, ...(priority !== undefined && { priority }), ...(weight !== undefined && { weight }) };
}

/** What was set by hand; of a provider that there is already, nothing else. */
function changed(form: FormInstance<Wish>, wish: Wish, profile: Profile | null, provider: Schemas["ProviderDetail"] | undefined): Schemas["ProviderChange"] {
  const touched = (name: keyof Wish) => form.isFieldTouched(name);
  const keys = wish.api_key?.split(/\s+/).filter(Boolean) ?? [];
  const options = { ...(touched("priority") && { priority: wish.priority ?? 0 }), ...(touched("weight") && { weight: wish.weight ?? 1 }) };
  return {
    ...(provider !== undefined && touched("base_url") && { base_url: wish.base_url }),
    ...(keys.length > 0 && { api_keys: keys }),
    ...(touched("preset") && { preset: wish.preset ?? null }),
    ...(touched("models") && { models: wish.models ?? [] }),
    ...((profile !== null || provider !== undefined) && { profile: profile ?? {} }),
    ...(Object.keys(options).length > 0 && { options }),
  };
}

/** A value once it has not changed for a while. */
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
