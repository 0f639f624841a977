import { Button } from "antd";
import { useTranslation } from "react-i18next";

type Pages = { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };

/** Shows the next page of a list, where there is one. */
export function More({ pages }: { pages: Pages }) {
  const { t } = useTranslation();
  if (!pages.hasNextPage) return null;
  return (
    <Button style={{ marginTop: 14 }} loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
      {t("actions.more")}
    </Button>
  );
}
