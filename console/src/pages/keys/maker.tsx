import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Form, Input, Modal, Select } from "antd";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { can, useUser } from "../../api/session";
import { PlanChooser, TeamChooser, UserChooser } from "../../components/choosers";
import { sayAtField } from "../../components/form-errors";
import { Problem } from "../../components/problem";
import { DIALECTS } from "./dialects";

const LIFETIMES = [1, 7, 30, 90, 365]; // days
const DAY = 86_400; // seconds
/** The fields, by the server's names for them. */
const FIELDS = { name: "name", scopes: "scopes", models: "models", dialects: "dialects", networks: "networks", plan: "plan", expires_at: "days", user: "user", team: "team" };

/** What is shown of a new key, this once. */
export type Made = { name: string; value: string }[];

type Wish = Pick<Schemas["NewKey"], "name" | "scopes" | "plan" | "user" | "team"> & { kind: "api" | "access"; days?: number; models?: string[]; dialects?: string[]; networks?: string[] };

/** Makes a key. What it may be is for the server to say: it is never wider than what its maker may do. */
export function Maker({ open, close, show }: { open: boolean; close: () => void; show: (made: Made) => void }) {
  const { t } = useTranslation();
  const user = useUser();
  const queries = useQueryClient();
  const [form] = Form.useForm<Wish>();
  const models = useQuery({ queryKey: ["models"], queryFn: () => taken(api.GET("/admin/v1/models")), enabled: open });
  const make = useMutation({
    mutationFn: async ({ kind, days, models: only = [], dialects = [], networks = [], ...rest }: Wish): Promise<Made> => {
      const body: Schemas["NewKey"] = { ...rest, models: only, dialects, networks, expires_at: days ? Math.floor(Date.now() / 1000) + days * DAY : null };
      if (kind === "api") return [{ name: t("keys.key"), value: (await taken(api.POST("/admin/v1/keys", { body }))).key }];
      const pair = await taken(api.POST("/admin/v1/access-keys", { body }));
      return [
        { name: t("keys.accessId"), value: pair.access_key_id },
        { name: t("keys.secret"), value: pair.secret_access_key },
      ];
    },
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ["keys"] });
      form.resetFields();
      close();
      show(made);
    },
    onError: (error) => sayAtField(form, error, FIELDS),
  });
  const scopes = (["inference", "admin", "metrics"] as const).filter((scope) => user.scopes.includes(scope));
  return (
    <Modal open={open} onCancel={close} title={t("keys.create")} okText={t("keys.create")} cancelText={t("actions.cancel")} onOk={() => form.submit()} confirmLoading={make.isPending} width={620} destroyOnHidden>
      <Form<Wish> form={form} layout="vertical" initialValues={{ kind: "api", scopes: ["inference"] }} onFinish={make.mutate} requiredMark={false}>
        <Form.Item name="name" label={t("keys.name")} rules={[{ required: true }]}>
          <Input autoComplete="off" />
        </Form.Item>
        <div className="pair">
          <Form.Item name="kind" label={t("keys.kind")} extra={t("keys.kindAbout")}>
            <Select options={[{ value: "api", label: t("keys.api") }, { value: "access", label: t("keys.access") }]} />
          </Form.Item>
          <Form.Item name="scopes" label={t("keys.scopes")} rules={[{ required: true }]}>
            <Select mode="multiple" options={scopes.map((scope) => ({ value: scope, label: t(`scopes.${scope}`) }))} />
          </Form.Item>
          {can.manage(user.role) && (
            <Form.Item name="user" label={t("keys.forUser")}>
              <UserChooser placeholder={t("keys.myself")} />
            </Form.Item>
          )}
          <Form.Item name="team" label={t("keys.forTeam")}>
            <TeamChooser placeholder={t("keys.noTeam")} />
          </Form.Item>
          <Form.Item name="plan" label={t("keys.plan")}>
            <PlanChooser />
          </Form.Item>
          <Form.Item name="days" label={t("keys.expires")}>
            <Select allowClear placeholder={t("keys.never")} options={LIFETIMES.map((days) => ({ value: days, label: t("keys.days", { count: days }) }))} />
          </Form.Item>
        </div>
        <Form.Item name="models" label={t("keys.models")} extra={t("keys.modelsAbout")}>
          <Select mode="tags" tokenSeparators={[" ", ","]} placeholder={t("keys.allModels")} options={models.data?.data.map(({ name }) => ({ value: name, label: name })) ?? []} />
        </Form.Item>
        <Form.Item name="dialects" label={t("keys.dialects")}>
          <Select mode="multiple" placeholder={t("keys.allDialects")} options={Object.entries(DIALECTS).map(([value, text]) => ({ value, label: t(`dialects.${text}`) }))} />
        </Form.Item>
        <Form.Item name="networks" label={t("keys.networks")} extra={t("keys.networksAbout")}>
          <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[" ", ","]} placeholder={t("keys.anywhere")} />
        </Form.Item>
        <Problem error={make.error} />
      </Form>
    </Modal>
  );
}
