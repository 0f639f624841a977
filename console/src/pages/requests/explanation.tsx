import { useMutation } from "@tanstack/react-query";
import { Alert, Button, Tag } from "antd";
import { useTranslation } from "react-i18next";

import { api, taken } from "../../api/client";
import { Problem } from "../../components/problem";
import { useExplain } from "../../explain";

const CALLS = 16; // that an explanation may cost

/** Why a request failed, and what would make it pass. */
export function Explanation({ id }: { id: string }) {
  const { t, i18n } = useTranslation();
  const explained = useExplain();
  const explain = useMutation({
    mutationFn: (replay: boolean) => taken(api.POST("/admin/v1/requests/{request_id}/explain", { params: { path: { request_id: id } }, body: { replay, calls: CALLS } })),
  });
  const cause = explain.data;
  return (
    <div style={{ marginBottom: 16 }}>
      {!cause && (
        <Button type="primary" loading={explain.isPending} onClick={() => explain.mutate(false)}>
          {t("requests.explain")}
        </Button>
      )}
      <Problem error={explain.error} style={{ marginTop: 10 }} />
      {cause && (
        <Alert
          type="info"
          showIcon
          title={(i18n.language === "zh" ? cause.zh : cause.en) || t("requests.unexplained")}
          description={
            <>
              {cause.culprits.length > 0 && (
                <p>
                  {t("requests.culprits")} {cause.culprits.map((culprit) => <Tag key={culprit}>{culprit}</Tag>)}
                </p>
              )}
              {cause.repairs.length > 0 && (
                <ul>
                  {cause.repairs.map((repair, index) => (
                    <li key={repair}>{explained(cause.repair_phrases[index], repair)}</li>
                  ))}
                </ul>
              )}
              {cause.message && <p className="mono">{cause.message}</p>}
              {cause.note && <p>{explained(cause.note_phrase, cause.note)}</p>}
              {cause.how !== "replay" && (
                <Button size="small" loading={explain.isPending} onClick={() => explain.mutate(true)}>
                  {t("requests.replay")}
                </Button>
              )}
            </>
          }
        />
      )}
    </div>
  );
}
