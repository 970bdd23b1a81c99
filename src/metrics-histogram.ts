import type { DeliveryCount } from "./store/activity.ts";

export interface HistogramSource {
  name: string;
  help: string;
  kind: "answer" | "delivery";
  /** The last one is Infinity. */
  bounds: readonly number[];
  counts: readonly DeliveryCount[];
  endpointOf(id: number): string;
}

/**
 * A histogram of counts that lie in the store, in the form in which the metrics library asks for one: its own class only
 * counts what it saw itself, and would begin at zero after every restart.
 */
export function lastingHistogram({ name, help, kind, bounds, counts, endpointOf }: HistogramSource) {
  // By the name, not the id: what was counted for endpoints that are gone stands under one.
  const sums = new Map<string, Map<string, number>>();
  for (const { endpointId, kind: counted, label, count } of counts) {
    if (counted !== kind && counted !== `${kind}-sum`) continue;
    const own = sums.get(endpointOf(endpointId)) ?? new Map<string, number>();
    sums.set(endpointOf(endpointId), own);
    const key = counted === kind ? label : "sum";
    own.set(key, (own.get(key) ?? 0) + count);
  }
  const values = [...sums].flatMap(([endpoint, own]) => {
    let total = 0;
    const buckets = bounds.map((bound) => {
      total += own.get(String(bound)) ?? 0;
      const le = Number.isFinite(bound) ? String(bound) : "+Inf";
      return { metricName: `${name}_bucket`, labels: { le, endpoint }, value: total };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: { endpoint }, value: own.get("sum") ?? 0 },
      { metricName: `${name}_count`, labels: { endpoint }, value: total },
    ];
  });
  return { name, get: async () => ({ name, help, type: "histogram", values, aggregator: "sum" }) };
}
