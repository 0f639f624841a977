import { useMutation } from "@tanstack/react-query";
import { Button, Form, Input, Tabs } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, taken } from "../../api/client";
import { can, useUser } from "../../api/session";
import { CodeBlock } from "../../components/copy";
import { Problem } from "../../components/problem";
import { code, KEY_VARIABLE, LANGUAGES } from "./code";
import type { DialectName } from "./dialects";
import type { Asked } from "./dialects/base";

/** The program that asks the same, with the address of this server, and a key where one is put in or made. */
export function Program({ dialect, asked }: { dialect: DialectName; asked: Asked }) {
  const { t } = useTranslation();
  const { role } = useUser();
  const [key, setKey] = useState("");
  const make = useMutation({
    mutationFn: () => taken(api.POST("/admin/v1/keys", { body: { name: t("playground.keyName"), scopes: ["inference"], models: [], dialects: [], networks: [] } })),
    onSuccess: (made) => setKey(made.key),
  });
  return (
    <>
      <p className="soft">{t("playground.codeAbout")}</p>
      <Form layout="vertical">
        <Form.Item label={t("playground.key")} htmlFor="program-key">
          <div className="filters" style={{ margin: 0, flexWrap: "nowrap" }}>
            <Input.Password id="program-key" autoComplete="off" placeholder={KEY_VARIABLE} value={key} onChange={(event) => setKey(event.target.value.trim())} />
            {can.hold(role) && (
              <Button loading={make.isPending} onClick={() => make.mutate()}>
                {t("playground.makeKey")}
              </Button>
            )}
          </div>
        </Form.Item>
      </Form>
      <Problem error={make.error} />
      <Tabs
        items={LANGUAGES.map((language) => ({
          key: language,
          label: t(`languages.${language}`),
          children: <CodeBlock label={t(`languages.${language}`)} text={code(language, dialect, asked, key)} />,
        }))}
      />
    </>
  );
}
