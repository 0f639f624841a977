import { ImportOutlined, PlusOutlined } from "@ant-design/icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Drawer, Switch, Table, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { usePools } from "../../api/pools";
import { can, useUser } from "../../api/session";
import { ProviderBadge } from "../../components/badges";
import { Page } from "../../components/page";
import { Problem } from "../../components/problem";
import { Loaded, Nothing } from "../../components/states";
import { NONE } from "../../format";
import { PAGES } from "../../pages";
import { usePlace } from "../../place";
import { Detail } from "./detail";
import { Editor } from "./editor";
import { Importer } from "./importer";

/** The upstreams that answer. */
export function Providers() {
  const { t } = useTranslation();
  const manages = can.manage(useUser().role);
  const [query, change] = usePlace();
  const [making, setMaking] = useState<"one" | "import" | null>(null);
  const shown = query.get(PAGES.providers.opens);
  const show = (name?: string) => change(PAGES.providers.opens, name);
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => taken(api.GET("/admin/v1/providers")) });
  return (
    <Page
      title={t("nav.providers")}
      about={t("providers.about")}
      actions={
        manages && (
          <>
            <Button icon={<ImportOutlined aria-hidden />} onClick={() => setMaking("import")}>
              {t("providers.import")}
            </Button>
            <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setMaking("one")}>
              {t("upstreams.add")}
            </Button>
          </>
        )
      }
    >
      <Loaded query={providers}>
        {({ data }) => (data.length === 0 ? <Nothing text={t("upstreams.none")} /> : <ProviderTable providers={data} manages={manages} show={show} />)}
      </Loaded>
      <Editor open={making === "one"} close={() => setMaking(null)} done={show} />
      <Importer open={making === "import"} close={() => setMaking(null)} />
      <Drawer open={shown !== null} onClose={() => show()} size={820} title={shown ?? ""} destroyOnHidden>
        {shown !== null && <Detail key={shown} name={shown} close={() => show()} />}
      </Drawer>
    </Page>
  );
}

function ProviderTable({ providers, manages, show }: { providers: Schemas["ProviderInfo"][]; manages: boolean; show: (name: string) => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const pools = usePools();
  const change = useMutation({
    mutationFn: ({ name, enabled }: { name: string; enabled: boolean }) => taken(api.PATCH("/admin/v1/providers/{name}", { params: { path: { name } }, body: { enabled } })),
    onSuccess: () => Promise.all([queries.invalidateQueries({ queryKey: ["providers"] }), queries.invalidateQueries({ queryKey: ["models"] })]),
  });
  return (
    <>
      <Problem error={change.error} style={{ marginBottom: 12 }} />
      <Table<Schemas["ProviderInfo"]>
        size="middle"
        rowKey="name"
        dataSource={providers}
        pagination={false}
        scroll={{ x: 960 }}
        columns={[
          {
            title: t("providers.name"),
            render: (_, provider) => (
              <>
                <Button type="link" style={{ padding: 0, height: "auto" }} onClick={() => show(provider.name)}>
                  {provider.name}
                </Button>
                <div className="mono soft">{provider.base_url}</div>
              </>
            ),
          },
          { title: t("providers.preset"), dataIndex: "preset_title" },
          { title: t("providers.source"), render: (_, provider) => <Tag>{t(provider.source === "stored" ? "providers.stored" : "providers.configured")}</Tag> },
          { title: t("providers.models"), render: (_, provider) => (provider.models.length === 0 ? <span className="soft">{t("providers.asked")}</span> : provider.models.length) },
          { title: t("providers.keys"), render: (_, provider) => (provider.api_keys.length === 0 ? NONE : provider.api_keys.map((key, index) => <Tag key={`${key} ${index}`} className="mono">{key}</Tag>)) },
          { title: t("providers.state"), render: (_, provider) => <ProviderBadge provider={provider} pool={pools.get(provider.name)} /> },
          {
            title: t("providers.enabled"),
            render: (_, provider) => (
              <Switch
                checked={provider.enabled}
                disabled={!manages || provider.source !== "stored"}
                loading={change.isPending && change.variables.name === provider.name}
                aria-label={t("providers.enabledNamed", { name: provider.name })}
                onChange={(enabled) => change.mutate({ name: provider.name, enabled })}
              />
            ),
          },
        ]}
      />
    </>
  );
}
