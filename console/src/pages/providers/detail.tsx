import { EditOutlined } from "@ant-design/icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Descriptions, Popconfirm } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, taken } from "../../api/client";
import { can, useUser } from "../../api/session";
import { Problem } from "../../components/problem";
import { Loaded } from "../../components/states";
import { NONE } from "../../format";
import { Doctor } from "./doctor";
import { Editor } from "./editor";
import { Learned } from "./learned";
import { Pool } from "./pool";
import { Rewrites } from "./rewrites";

/** All that is known of a provider, and what can be done with it. */
export function Detail({ name, close }: { name: string; close: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const manages = can.manage(useUser().role);
  const [editing, setEditing] = useState(false);
  const provider = useQuery({ queryKey: ["providers", name], queryFn: () => taken(api.GET("/admin/v1/providers/{name}", { params: { path: { name } } })) });
  const remove = useMutation({
    mutationFn: () => taken(api.DELETE("/admin/v1/providers/{name}", { params: { path: { name } } })),
    onSuccess: () => {
      close();
      return queries.invalidateQueries({ queryKey: ["providers"], exact: true });
    },
  });
  return (
    <Loaded query={provider}>
      {(found) => {
        const editable = manages && found.source === "stored";
        const option = (key: string, fallback: string) => String(found.options[key] ?? fallback);
        return (
          <>
            {found.problem && <Alert type="error" showIcon title={found.problem} style={{ marginBottom: 12 }} />}
            {!found.enabled && <Alert type="warning" showIcon title={t("providers.isDisabled")} style={{ marginBottom: 12 }} />}
            {found.source === "configured" && <Alert type="info" showIcon title={t("providers.inFile")} style={{ marginBottom: 12 }} />}
            <Problem error={remove.error} style={{ marginBottom: 12 }} />
            <Descriptions
              size="small"
              bordered
              column={1}
              items={[
                { key: "address", label: t("providers.address"), children: <span className="mono">{found.base_url}</span> },
                { key: "preset", label: t("providers.preset"), children: found.preset_title },
                { key: "dialect", label: t("providers.dialect"), children: <span className="mono">{found.dialect}</span> },
                { key: "models", label: t("providers.models"), children: <span className="mono">{found.models.join(", ") || t("providers.asked")}</span> },
                { key: "aliases", label: t("providers.aliases"), children: <span className="mono">{Object.entries(found.aliases).map(([from, to]) => `${from} → ${to}`).join(", ") || NONE}</span> },
                { key: "rank", label: t("providers.rank"), children: t("providers.rankOf", { priority: option("priority", "0"), weight: option("weight", "1") }) },
              ]}
            />
            {editable && (
              <div className="filters" style={{ marginTop: 12 }}>
                <Button icon={<EditOutlined aria-hidden />} onClick={() => setEditing(true)}>
                  {t("providers.edit")}
                </Button>
                <Popconfirm title={t("providers.deleteSure", { name })} okText={t("actions.delete")} cancelText={t("actions.cancel")} okButtonProps={{ danger: true }} onConfirm={() => remove.mutate()}>
                  <Button danger loading={remove.isPending}>
                    {t("actions.delete")}
                  </Button>
                </Popconfirm>
              </div>
            )}
            {found.enabled && <Pool name={name} />}
            <section aria-labelledby="rewrites">
              <h3 id="rewrites">{t("providers.rewrites")}</h3>
              <Rewrites groups={found.rewrites} />
            </section>
            <Learned name={name} manages={manages} />
            {manages && <Doctor provider={found} />}
            {editable && <Editor open={editing} provider={found} close={() => setEditing(false)} done={() => undefined} />}
          </>
        );
      }}
    </Loaded>
  );
}
