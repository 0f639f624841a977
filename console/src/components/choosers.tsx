import { Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { usePlans, useTeams, useUsers } from "../api/people";
import { useLimits } from "../limits";

/** What a form hands to its fields, or a page says itself. */
type Chooser = { id?: string; value?: string | null; onChange?: (value: string | null) => void; placeholder?: string; label?: string; disabled?: boolean; style?: React.CSSProperties };

const given = ({ label, onChange, ...rest }: Chooser) => ({
  ...rest,
  ...(label !== undefined && { "aria-label": label }),
  onChange: (value: string | undefined) => onChange?.(value ?? null),
});

/** Chooses a user, found by name or e-mail address. */
export function UserChooser(props: Chooser) {
  const [search, setSearch] = useState("");
  const users = useUsers(search, true);
  return <Select allowClear showSearch={{ filterOption: false, onSearch: setSearch }} loading={users.isFetching} {...given(props)} options={users.data?.data.map(({ id, name, email }) => ({ value: id, label: `${name} · ${email}` })) ?? []} />;
}

/** Chooses a team. */
export function TeamChooser(props: Chooser) {
  const teams = useTeams();
  return <Select allowClear showSearch={{ optionFilterProp: "label" }} {...given(props)} options={teams.data?.data.map(({ id, name }) => ({ value: id, label: name })) ?? []} />;
}

/** Chooses a plan, or no limits; each says what its limits are. */
export function PlanChooser(props: Chooser) {
  const { t } = useTranslation();
  const { said } = useLimits();
  const plans = usePlans();
  return (
    <Select
      allowClear
      placeholder={t("keys.unlimited")}
      {...given(props)}
      options={plans.data?.data.map(({ name, limits }) => ({ value: name, label: name, limits: limits.map((limit) => (limit.model === null ? said(limit) : `${limit.model}: ${said(limit)}`)).join(", ") })) ?? []}
      optionRender={({ data }) => (
        <>
          {data.label}
          <div className="soft small">{data.limits}</div>
        </>
      )}
    />
  );
}
