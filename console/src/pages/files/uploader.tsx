import { InboxOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Button, Progress, Select, Upload as Chooser } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { useMessage } from "../../components/states";
import { useFormat } from "../../format";
import { type Upload, useUploads } from "./uploads";

const USUAL = "user_data";
const DAY = 86_400;
const DAYS = [1, 7, 30]; // the last is the most that OpenAI's `expires_after` may say

/** The room that one has for files, and what they may be for. */
export const useRoom = () => useQuery({ queryKey: ["files", "room"], queryFn: () => taken(api.GET("/admin/v1/files/room")) });

/** Takes files, by drop or choice, and shows how far they are. `only` fixes what they are for. */
export function Uploader({ room, only, arrived }: { room: Schemas["FileRoom"]; only?: string; arrived?: (id: string) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [purpose, setPurpose] = useState(only ?? USUAL);
  const [lifetime, setLifetime] = useState<number | null>(null);
  const { uploads, add, stop, again, clear } = useUploads(arrived);
  const chosen = room.purposes.find(({ name }) => name === purpose);
  const families = chosen?.families.length ? chosen.families.join(", ") : t("files.families");
  return (
    <>
      {only === undefined && (
        <div className="filters">
          <Select
            aria-label={t("files.purpose")}
            style={{ width: 220 }}
            value={purpose}
            onChange={setPurpose}
            options={room.purposes.map(({ name }) => ({ value: name, label: name }))}
          />
          <Select
            aria-label={t("files.lifetime")}
            style={{ width: 220 }}
            value={lifetime ?? 0}
            onChange={(seconds) => setLifetime(seconds || null)}
            options={[{ value: 0, label: t("files.lifetimeUsual") }, ...DAYS.map((count) => ({ value: count * DAY, label: t("files.days", { count }) }))]}
          />
        </div>
      )}
      <Chooser.Dragger
        multiple
        showUploadList={false}
        beforeUpload={(file) => {
          add([file], { field: chosen?.field ?? "purpose", name: purpose, lifetime });
          return false;
        }}
      >
        <p className="drop-icon">
          <InboxOutlined aria-hidden />
        </p>
        <strong>{t("files.drop")}</strong>
        <p className="soft">{t("files.purposeFits", { families, size: format.bytes(chosen?.max_bytes ?? room.max_file_bytes) })}</p>
      </Chooser.Dragger>
      {uploads.length > 0 && (
        <>
          <ul className="rows uploads" aria-live="polite">
            {uploads.map((upload) => (
              <Row key={upload.key} upload={upload} stop={() => stop(upload.key)} again={() => again(upload.key)} />
            ))}
          </ul>
          {uploads.some(({ state }) => state === "sent" || state === "failed") && (
            <Button size="small" onClick={clear}>
              {t("files.clear")}
            </Button>
          )}
        </>
      )}
    </>
  );
}

const COLORS = { waiting: "normal", sending: "active", sent: "success", failed: "exception" } as const;

function Row({ upload, stop, again }: { upload: Upload; stop: () => void; again: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const message = useMessage();
  const { file, state, share, error } = upload;
  return (
    <li>
      <div className="upload">
        <div>
          <strong className="name">{file.name}</strong> <span className="soft">{format.bytes(file.size)}</span>
        </div>
        <Progress percent={Math.round(share * 100)} status={COLORS[state]} size="small" aria-label={t("files.progressOf", { name: file.name })} />
        <div className={state === "failed" ? "wrong" : "soft"}>{state === "failed" ? message(error) : t(`files.${state}`)}</div>
      </div>
      {state === "failed" ? (
        <Button size="small" onClick={again} aria-label={t("files.againNamed", { name: file.name })}>
          {t("files.again")}
        </Button>
      ) : (
        state !== "sent" && (
          <Button size="small" onClick={stop} aria-label={t("files.cancelNamed", { name: file.name })}>
            {t("actions.cancel")}
          </Button>
        )
      )}
    </li>
  );
}
