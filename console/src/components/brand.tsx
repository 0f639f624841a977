import { useTranslation } from "react-i18next";
import { Link } from "react-router";

export function Brand() {
  const { t } = useTranslation();
  return (
    <Link className="brand" to="/">
      <img src="/console/favicon.svg" alt="" />
      {t("brand.name")} <small lang="zh">{t("brand.other")}</small>
    </Link>
  );
}
