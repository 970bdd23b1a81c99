import { useState } from "preact/hooks";
import { formatDuration } from "../../format.ts";
import { ago, instant, number, t } from "./i18n.ts";
import { useAnswer } from "./live.ts";
import { Section, State, Table, type Tone } from "./parts.tsx";
import type { Status } from "./wire.ts";

interface Rate {
  serial: string;
  thisHour: number;
  lastHour: number;
  lastSixty: number;
  usualSixty: number | null;
  clockDelayMs: number | null;
}

/** So many at first: what needs somebody is among them, and a phone shows what comes after. */
const SHOWN = 10;
const MINUTE_MS = 60_000;
const AGAIN_MS = 60_000;
/** Fewer than so many an hour say nothing by being absent. */
const LEAST_USUAL = 5;
const QUIET_SHARE = 0.3;
/** The camera needs a moment to read and send; it may write whole seconds. */
const FAST_MS = -2000;
const SLOW_MS = 15_000;

export function Cameras({ status: { cameras }, now }: { status: Status; now: number }) {
  const texts = t().cameras;
  const [isWhole, setWhole] = useState(false);
  const { value: rates } = useAnswer<readonly Rate[]>("/api/v1/series/cameras", Math.floor(now / MINUTE_MS), AGAIN_MS);
  if (cameras.length === 0) {
    return (
      <Section title={texts.title} wide>
        <p>{texts.none}</p>
      </Section>
    );
  }
  const listed = cameras.map((camera) => ({
    camera,
    rate: rates?.find(({ serial }) => serial === camera.serial) ?? null,
  }));
  // What needs somebody stands first, else they stay in their order.
  const sorted = listed.toSorted((a, b) => Number(needsLook(b)) - Number(needsLook(a)));
  return (
    <Section title={texts.title} wide>
      <Table
        label={texts.title}
        head={[texts.serial, texts.lastReading, texts.rate, texts.lastSent, texts.clock]}
        rows={(isWhole ? sorted : sorted.slice(0, SHOWN)).map(({ camera, rate }) => {
          return [
            <span key="name">
              {camera.serial}
              {camera.description === null ? null : <span class="quiet"> {camera.description}</span>}{" "}
              {camera.active ? null : <State tone="plain">{texts.off}</State>}
            </span>,
            <span key="read" title={instant(camera.lastReadingAt)}>
              {ago(camera.lastReadingAt, now)}
            </span>,
            <RateState key="rate" rate={rate} />,
            <span key="sent" title={instant(camera.lastSentAt)}>
              {ago(camera.lastSentAt, now)}
            </span>,
            <ClockState key="clock" delayMs={rate?.clockDelayMs ?? null} />,
          ];
        })}
      />
      {sorted.length > SHOWN ? (
        <div class="buttons">
          <button type="button" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
            {isWhole ? texts.fewer : texts.all(sorted.length)}
          </button>
        </div>
      ) : null}
    </Section>
  );
}

function needsLook({ camera, rate }: { camera: Status["cameras"][number]; rate: Rate | null }): boolean {
  if (!camera.active) return false;
  return camera.lastReadingAt === null || rateTone(rate) === "bad" || clockTone(rate?.clockDelayMs ?? null) === "bad";
}

/** Against its usual; null: nothing to compare with. */
function rateTone(rate: Rate | null): Tone | null {
  if (rate === null || rate.usualSixty === null) return null;
  const { thisHour, lastHour, lastSixty, usualSixty: usual } = rate;
  if (usual < LEAST_USUAL) return "good";
  return lastHour + thisHour === 0 ? "bad" : lastSixty < usual * QUIET_SHARE ? "warn" : "good";
}

function RateState({ rate }: { rate: Rate | null }) {
  if (rate === null) return <>–</>;
  const texts = t().cameras;
  const tone = rateTone(rate);
  const { lastSixty, usualSixty } = rate;
  // Only the two hours are counted: what falls into the sixty minutes follows from them.
  const exact = texts.counted(rate.thisHour, rate.lastHour);
  if (tone === null) return <span title={exact}>{number(lastSixty)}</span>;
  return (
    <span title={exact}>
      <State tone={tone}>{number(lastSixty)}</State>{" "}
      <span class="quiet">({texts.usual(Math.round(usualSixty ?? 0))})</span>
    </span>
  );
}

function clockTone(delayMs: number | null): Tone {
  return delayMs === null ? "plain" : delayMs < FAST_MS || delayMs > SLOW_MS ? "bad" : "good";
}

function ClockState({ delayMs }: { delayMs: number | null }) {
  const texts = t().cameras;
  if (delayMs === null) return <>–</>;
  const isBad = clockTone(delayMs) === "bad";
  const off = delayMs < 0 ? texts.clockFast(formatDuration(-delayMs)) : texts.clockSlow(formatDuration(delayMs));
  return <State tone={isBad ? "bad" : "good"}>{isBad ? off : texts.clockFine}</State>;
}
