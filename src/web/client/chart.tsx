import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { number, t } from "./i18n.ts";
import { useAnswer } from "./live.ts";
import { Section } from "./parts.tsx";

interface Series {
  span: Span;
  stepMs: number;
  points: readonly { at: string; received: number; delivered: number }[];
}
const SPANS = ["hour", "day", "week"] as const;
type Span = (typeof SPANS)[number];

const MINUTE_MS = 60_000;
const HEIGHT = 190;
const AGAIN_MS = { hour: 5000, day: 60_000, week: 60_000 } as const;

/** Readings per minute in and out. */
export function Rates(props: { changes: number; now: number }) {
  const [span, setSpan] = useState<Span>("hour");
  // Also without any change time goes on, and with it the window.
  const minute = Math.floor(props.now / MINUTE_MS);
  const { value: series } = useAnswer<Series>(
    `/api/v1/series?span=${span}`,
    `${props.changes} ${minute}`,
    AGAIN_MS[span],
  );
  const texts = t().rates;
  const sum = (key: "received" | "delivered"): number =>
    series?.points.reduce((all, point) => all + point[key], 0) ?? 0;
  const summary = texts.summary(sum("received"), sum("delivered"));
  const choice = (
    <fieldset class="spans">
      <legend class="hidden">{texts.span}</legend>
      {SPANS.map((one) => (
        <label key={one}>
          <input type="radio" name="span" value={one} checked={one === span} onChange={() => setSpan(one)} />
          <span>{texts.spans[one]}</span>
        </label>
      ))}
    </fieldset>
  );
  return (
    <Section title={texts.title} wide action={choice}>
      <p class="legend">
        <span class="in">{texts.received}</span>
        <span class="out">{texts.delivered}</span>
      </p>
      {series === null ? <div class="chart" /> : <Chart series={series} label={`${texts.title}. ${summary}`} />}
      <p class="quiet">{summary}</p>
      {series === null ? null : <AsTable series={series} />}
    </Section>
  );
}

function Chart(props: { series: Series; label: string }) {
  const { series, label } = props;
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const data = useMemo(() => perMinute(series), [series]);
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const draw = (): void => {
      chart.current?.destroy();
      chart.current = new uPlot(options(element.clientWidth), latest.current, element);
    };
    draw();
    const resized = new ResizeObserver(() => {
      if (chart.current?.width !== element.clientWidth)
        chart.current?.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    resized.observe(element);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", draw);
    addEventListener("tattile-theme", draw);
    return () => {
      resized.disconnect();
      dark.removeEventListener("change", draw);
      removeEventListener("tattile-theme", draw);
      chart.current?.destroy();
      chart.current = null;
    };
  }, []);
  useEffect(() => chart.current?.setData(data), [data]);
  return <div class="chart" ref={place} role="img" aria-label={label} />;
}

function perMinute({ points, stepMs }: Series): uPlot.AlignedData {
  const rate = (count: number): number => count / (stepMs / MINUTE_MS);
  // A step lasts until the next one begins: the last one needs its end too.
  const last = points.at(-1);
  const steps =
    last === undefined ? points : [...points, { ...last, at: new Date(Date.parse(last.at) + stepMs).toISOString() }];
  return [
    steps.map(({ at }) => Date.parse(at) / 1000),
    steps.map(({ received }) => rate(received)),
    steps.map(({ delivered }) => rate(delivered)),
  ];
}

function options(width: number): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour("--quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
  };
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  const line = (name: string): uPlot.Series => ({
    stroke: colour(name),
    width: 2,
    points: { show: false },
    ...(stepped === undefined ? {} : { paths: stepped }),
  });
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_chart, _least, most) => [0, Math.max(4, most * 1.1)] } },
    axes: [
      { ...axis, size: 30, values: (_chart, seconds) => seconds.map(clockText) },
      { ...axis, size: 44, values: (_chart, values) => values.map((value) => number(value)) },
    ],
    series: [{}, { ...line("--in"), fill: `${colour("--in")}22` }, line("--out")],
  };
}

/** `14:30`, and the day where one begins. */
function clockText(seconds: number): string {
  const at = new Date(seconds * 1000);
  return at.getHours() === 0 && at.getMinutes() === 0
    ? at.toLocaleDateString(t().tag, { weekday: "short", day: "numeric" })
    : at.toLocaleTimeString(t().tag, { hour: "2-digit", minute: "2-digit" });
}

/** The same for those who cannot see the curve: only times at which something happened. */
function AsTable({ series }: { series: Series }) {
  const texts = t().rates;
  const rows = series.points.filter(({ received, delivered }) => received + delivered > 0).toReversed();
  return (
    <details>
      <summary>{texts.table}</summary>
      <section class="scroll" aria-label={texts.table} tabindex={0}>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">{texts.time}</th>
              <th scope="col">{texts.received}</th>
              <th scope="col">{texts.delivered}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ at, received, delivered }) => (
              <tr key={at}>
                <th scope="row">
                  {new Date(at).toLocaleString(t().tag, { weekday: "short", hour: "2-digit", minute: "2-digit" })}
                </th>
                <td>{number(received)}</td>
                <td>{number(delivered)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}
