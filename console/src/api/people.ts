import { useQuery } from "@tanstack/react-query";

import { api, taken } from "./client";

const MOST = 1000; // that one page of a list holds

/** The users whose names or e-mail addresses hold a text; only for those who may see users. */
export function useUsers(search: string, enabled: boolean) {
  return useQuery({
    queryKey: ["users", "found", search],
    queryFn: () => taken(api.GET("/admin/v1/users", { params: { query: { limit: MOST, ...(search && { search }) } } })),
    enabled,
  });
}

/** The teams that one sees: all, or to a member those that they are in. */
export const useTeams = () => useQuery({ queryKey: ["teams"], queryFn: () => taken(api.GET("/admin/v1/teams", { params: { query: { limit: MOST } } })) });

/** The plans that keys, users and teams can be given. */
export const usePlans = (enabled = true) => useQuery({ queryKey: ["plans"], queryFn: () => taken(api.GET("/admin/v1/plans")), enabled });
