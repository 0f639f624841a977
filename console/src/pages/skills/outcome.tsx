import { Alert } from "antd";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../../api/client";

/** What was done about skills. */
export function Outcome({ changes }: { changes: Schemas["SkillChanges"] }) {
  const { t } = useTranslation();
  const kept = changes.data.some(({ action }) => action === "kept");
  return (
    <Alert
      type={kept ? "warning" : "success"}
      showIcon
      style={{ marginBottom: 12 }}
      title={changes.data.map(({ name, action }) => `${name}: ${t(`skills.${action}`)}`).join(", ")}
      description={
        <>
          {changes.data.map(({ name, reason, left }) => (
            <div key={name}>
              {reason} {left.length > 0 && t("skills.left", { files: left.join(", ") })}
            </div>
          ))}
          {changes.backup !== null && <div>{t("skills.backup", { path: changes.backup })}</div>}
        </>
      }
    />
  );
}
