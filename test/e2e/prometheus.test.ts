import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findFreePorts } from "../../src/demo-service.ts";
import { openSite } from "./site.ts";

const RULES = new URL("../../install/prometheus/tattile.rules.yml", import.meta.url).pathname;

/** Asks Prometheus until it answers as expected. */
async function until<T>(ask: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  for (let n = 0; ; n++) {
    const value = await ask().catch(() => null);
    if (value !== null && good(value)) return value;
    if (n > 300) throw new Error(`still ${JSON.stringify(value)}`);
    await Bun.sleep(100);
  }
}

test("a real Prometheus reads the metrics, and its alerts see readings given up", async () => {
  await using site = await openSite();
  await site.addCameras("2001008851");
  site.mossos.behave({ answer: { kind: "code", code: "7" }, takes: false });
  const service = await site.start();
  await site.send({ serials: ["2001008851"], total: 20 });
  await site.until(({ dead_messages }) => dead_messages === 20);

  const [port = 0] = await findFreePorts(1);
  const config = {
    global: { scrape_interval: "500ms", evaluation_interval: "500ms" },
    rule_files: [RULES],
    scrape_configs: [{ job_name: "tattile", static_configs: [{ targets: [new URL(site.url).host] }] }],
  };
  writeFileSync(join(site.folder, "prometheus.yml"), JSON.stringify(config));
  const prometheus = Bun.spawn(
    [
      "prometheus",
      `--config.file=${site.folder}/prometheus.yml`,
      `--storage.tsdb.path=${site.folder}/tsdb`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=error",
    ],
    { cwd: site.folder, stdin: "ignore", stdout: "ignore", stderr: "inherit" },
  );
  try {
    const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json();
    const value = async (query: string): Promise<string | undefined> =>
      (await get(`query?query=${encodeURIComponent(query)}`)).data.result[0]?.value[1];
    await until(
      () => value('up{job="tattile"}'),
      (up) => up === "1",
    );
    expect(await value('tattile_messages{state="DEAD"}')).toBe("20");
    expect(await value("tattile_balance_difference")).toBe("0");
    expect(await value('tattile_attempts_total{endpoint="police",outcome="rejected"}')).toBe("20");
    expect(await value('histogram_quantile(0.5, tattile_answer_seconds_bucket{endpoint="police"})')).not.toBe("NaN");
    const alerts = await until(
      async () =>
        (await get("alerts")).data.alerts as { labels: { alertname: string }; annotations: { mend: string } }[],
      (found) => found.some(({ labels }) => labels.alertname === "TattileDead"),
    );
    expect(alerts.find(({ labels }) => labels.alertname === "TattileDead")?.annotations.mend).toBe("tattile status");
    const { groups } = (await get("rules")).data;
    expect(groups[0].rules.filter(({ health }: { health: string }) => health !== "ok")).toEqual([]);
  } finally {
    prometheus.kill();
    await prometheus.exited;
  }
  expect((await service.stop()).exitCode).toBe(0);
}, 90_000);
