import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Popconfirm, Tag } from "antd";
import { useTranslation } from "react-i18next";

import { api, taken } from "../../api/client";
import { Problem } from "../../components/problem";
import { Loaded } from "../../components/states";
import { useExplain } from "../../explain";
import { useFormat } from "../../format";

type Which = { model?: string; part?: string };

/** What was learned of a provider's models, and forgetting it. */
export function Learned({ name, manages }: { name: string; manages: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const explain = useExplain();
  const queries = useQueryClient();
  const learned = useQuery({ queryKey: ["learned", name], queryFn: () => taken(api.GET("/admin/v1/providers/{name}/learned", { params: { path: { name } } })) });
  const forget = useMutation({
    mutationFn: (query: Which) => taken(api.DELETE("/admin/v1/providers/{name}/learned", { params: { path: { name }, query } })),
    onSettled: () => Promise.all([queries.invalidateQueries({ queryKey: ["learned", name] }), queries.invalidateQueries({ queryKey: ["providers", name] })]),
  });
  return (
    <section aria-labelledby="learned">
      <h3 id="learned">{t("providers.learned")}</h3>
      <Problem error={forget.error} style={{ marginBottom: 10 }} />
      <Loaded query={learned}>
        {({ data }) =>
          data.length === 0 ? (
            <p className="soft">{t("providers.noLearned")}</p>
          ) : (
            <>
              <ul className="rows">
                {data.map((rule) => (
                  <li key={`${rule.model} ${rule.part}`}>
                    <span style={{ flex: 1, minWidth: 220 }}>
                      <strong className="mono">{rule.model}</strong> <Tag>{rule.part}</Tag>
                      <div>{rule.does.map((does, index) => explain(rule.phrases[index], does)).join(", ")}</div>
                      <div className="soft">{t("providers.learnedAt", { learned: format.instant(rule.learned_at), tested: format.instant(rule.expires_at) })}</div>
                    </span>
                    {manages && (
                      <Button size="small" aria-label={t("providers.forgetNamed", { part: rule.part, model: rule.model })} onClick={() => forget.mutate({ model: rule.model, part: rule.part })}>
                        {t("providers.forget")}
                      </Button>
                    )}
                  </li>
                ))}
              </ul>
              {manages && (
                <Popconfirm title={t("providers.forgetAllSure")} okText={t("providers.forgetAll")} cancelText={t("actions.cancel")} onConfirm={() => forget.mutate({})}>
                  <Button size="small" danger style={{ marginTop: 10 }}>
                    {t("providers.forgetAll")}
                  </Button>
                </Popconfirm>
              )}
            </>
          )
        }
      </Loaded>
    </section>
  );
}
