import { useQuery } from "@tanstack/react-query";
import { Alert, Tag } from "antd";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { CodeBlock } from "../../components/copy";
import { Panel } from "../../components/panel";
import { Loaded } from "../../components/states";
import { toml, tomlKey } from "../../toml";

const EXAMPLE: Schemas["NameList"] = {
  aliases: [{ name: "claude-*", target: "local" }],
  routes: [{ name: "best", targets: [{ model: "provider/model", priority: 0, weight: 1 }, { model: "local", priority: 1, weight: null }] }],
  habits: [],
};

/** Names that the settings file gives, and how it is written; names of habit. */
export function Names() {
  const { t } = useTranslation();
  const names = useQuery({ queryKey: ["names"], queryFn: () => taken(api.GET("/admin/v1/names")) });
  return (
    <div className="columns" style={{ marginTop: 14 }}>
      <Panel title={t("models.names")}>
        <Loaded query={names}>
          {(found) => {
            const none = found.aliases.length === 0 && found.routes.length === 0;
            return (
              <>
                <ul className="rows">
                  {found.routes.map((route) => (
                    <li key={`r:${route.name}`}>
                      <strong className="mono">{route.name}</strong>
                      <span>
                        {route.targets.map((target) => (
                          <div key={target.model}>
                            <span className="mono">{target.model}</span> <span className="soft">{t("models.rankOf", { priority: target.priority ?? t("models.ofProvider"), weight: target.weight ?? t("models.ofProvider") })}</span>
                          </div>
                        ))}
                      </span>
                    </li>
                  ))}
                  {found.aliases.map((alias) => (
                    <li key={`a:${alias.name}`}>
                      <strong className="mono">{alias.name}</strong>
                      <span className="mono">→ {alias.target}</span>
                    </li>
                  ))}
                </ul>
                <Alert type="info" showIcon title={t(none ? "models.noNames" : "models.inFile")} style={{ margin: "12px 0" }} />
                <CodeBlock label={t("models.snippet")} text={snippet(none ? EXAMPLE : found)} />
              </>
            );
          }}
        </Loaded>
      </Panel>
      <Panel title={t("models.habits")}>
        <p className="soft">{t("models.habitsAbout")}</p>
        <Loaded query={names}>
          {({ habits }) =>
            habits.map(({ pattern, operation }) => (
              <Tag key={pattern} className="mono" title={operation}>
                {pattern}
              </Tag>
            ))
          }
        </Loaded>
      </Panel>
    </div>
  );
}

/** Names as the settings file has them. */
function snippet({ aliases, routes }: Schemas["NameList"]): string {
  const lines = aliases.length === 0 ? [] : ["[aliases]", ...aliases.map(({ name, target }) => `${tomlKey(name)} = ${toml(target)}`), ""];
  for (const { name, targets } of routes)
    for (const target of targets) {
      const fields = Object.entries(target).filter(([, value]) => value !== null);
      lines.push(`[[routes.${tomlKey(name)}]]`, ...fields.map(([field, value]) => `${field} = ${toml(value)}`), "");
    }
  return lines.join("\n").trimEnd();
}
