import { DeleteOutlined } from "@ant-design/icons";
import { Button, Popconfirm } from "antd";
import { useTranslation } from "react-i18next";

import { Nothing } from "../../components/states";
import { useFormat } from "../../format";
import type { Kept } from "./history";

type Props = { kept: Kept[]; open: (kept: Kept) => void; forget: (id: string) => void; forgetAll: () => void };

/** The conversations that this browser keeps. */
export function Past({ kept, open, forget, forgetAll }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <>
      <p className="soft">{t("playground.historyAbout")}</p>
      {kept.length === 0 && <Nothing text={t("playground.noHistory")} />}
      <ul className="rows">
        {kept.map((one) => (
          <li key={one.id}>
            <Button type="link" className="cut" onClick={() => open(one)}>
              {one.title || t("playground.untitled")}
            </Button>
            <span className="soft">{format.instant(one.time)}</span>
            <Button size="small" type="text" icon={<DeleteOutlined aria-hidden />} aria-label={t("actions.deleteNamed", { name: one.title })} onClick={() => forget(one.id)} />
          </li>
        ))}
      </ul>
      {kept.length > 0 && (
        <Popconfirm title={t("playground.forgetSure")} okText={t("playground.forgetAll")} cancelText={t("actions.cancel")} onConfirm={forgetAll}>
          <Button danger>{t("playground.forgetAll")}</Button>
        </Popconfirm>
      )}
    </>
  );
}
