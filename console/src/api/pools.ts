import { useQuery } from "@tanstack/react-query";

import { api, type Schemas, taken } from "./client";

const REFRESH_MS = 5_000;

/** The providers that are served, with their keys. */
export const usePoolList = () => useQuery({ queryKey: ["pools"], queryFn: () => taken(api.GET("/admin/v1/pools")), refetchInterval: REFRESH_MS });

/** How the providers that are served are by now, by name. */
export function usePools(): Map<string, Schemas["PoolView"]> {
  return new Map(usePoolList().data?.data.map((pool) => [pool.provider, pool]));
}
