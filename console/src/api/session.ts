import { useQuery } from "@tanstack/react-query";

import { api, ApiError, type Schemas, taken } from "./client";

export const SESSION = ["session"] as const;
/** Characters of a password, as the server has it. */
export const SHORTEST_PASSWORD = 12;

type Role = Schemas["SessionView"]["role"];
export type Entrance = { setup: Schemas["SetupState"]; user: Schemas["SessionView"] | null };

/** How people come in, and who is in. */
export const useEntrance = () => useQuery({ queryKey: SESSION, queryFn: entrance, staleTime: 60_000 });

async function entrance(): Promise<Entrance> {
  const setup = await taken(api.GET("/admin/v1/setup"));
  try {
    return { setup, user: await taken(api.GET("/admin/v1/session")) };
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return { setup, user: null };
    throw error;
  }
}

/** Who may do what, as the admin API has it; that one has the last word. */
export const can = {
  read: (role: Role) => role !== "member",
  hold: (role: Role) => role !== "auditor",
  manage: (role: Role) => role === "owner" || role === "admin",
};

/** Who asks. Only for pages behind the login. */
export function useUser(): Schemas["SessionView"] {
  const user = useEntrance().data?.user;
  if (!user) throw new Error("nobody is logged in");
  return user;
}
