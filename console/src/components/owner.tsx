import { KeyOutlined, LaptopOutlined, UserOutlined } from "@ant-design/icons";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../api/client";

const ICONS = { key: <KeyOutlined aria-hidden />, user: <UserOutlined aria-hidden />, local: <LaptopOutlined aria-hidden /> };

/** Whose something is. */
export function OwnerName({ owner }: { owner: Schemas["OwnerView"] }) {
  const { t } = useTranslation();
  return (
    <span title={owner.id}>
      <span className="soft">{ICONS[owner.kind]}</span> {owner.kind === "local" ? t("files.ownerLocal") : (owner.name ?? t("files.ownerGone"))}
    </span>
  );
}
