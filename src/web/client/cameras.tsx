import { formatDuration } from "../../format.ts";
import { ago, instant, number, t } from "./i18n.ts";
import { useAnswer } from "./live.ts";
import { Section, State, Table, type Tone } from "./parts.tsx";
import type { Status } from "./wire.ts";

interface Rate {
  serial: string;
  thisHour: number;
  lastHour: number;
  usualPerHour: number | null;
  clockDelayMs: number | null;
}

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
  const { value: rates } = useAnswer<readonly Rate[]>("/api/v1/series/cameras", Math.floor(now / MINUTE_MS), AGAIN_MS);
  if (cameras.length === 0) {
    return (
      <Section title={texts.title} wide>
        <p>{texts.none}</p>
      </Section>
    );
  }
  return (
    <Section title={texts.title} wide>
      <Table
        label={texts.title}
        head={[texts.serial, texts.lastReading, texts.rate, texts.lastSent, texts.clock]}
        rows={cameras.map((camera) => {
          const rate = rates?.find(({ serial }) => serial === camera.serial) ?? null;
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
    </Section>
  );
}

function RateState({ rate }: { rate: Rate | null }) {
  if (rate === null) return <>–</>;
  const texts = t().cameras;
  const { thisHour, lastHour, usualPerHour: usual } = rate;
  if (usual === null) return <>{number(lastHour)}</>;
  const isSilent = usual >= LEAST_USUAL && lastHour + thisHour === 0;
  const isQuiet = usual >= LEAST_USUAL && lastHour < usual * QUIET_SHARE;
  const tone: Tone = isSilent ? "bad" : isQuiet ? "warn" : "good";
  return (
    <span>
      <State tone={tone}>{number(lastHour)}</State> <span class="quiet">({texts.usual(Math.round(usual))})</span>
    </span>
  );
}

function ClockState({ delayMs }: { delayMs: number | null }) {
  const texts = t().cameras;
  if (delayMs === null) return <>–</>;
  if (delayMs < FAST_MS) return <State tone="bad">{texts.clockFast(formatDuration(-delayMs))}</State>;
  if (delayMs > SLOW_MS) return <State tone="bad">{texts.clockSlow(formatDuration(delayMs))}</State>;
  return <State tone="good">{texts.clockFine}</State>;
}
