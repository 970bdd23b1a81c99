import { formatDuration } from "../../format.ts";
import { Cameras } from "./cameras.tsx";
import { DaysLeft } from "./certificates.tsx";
import { Rates } from "./chart.tsx";
import { ago, day, number, size, t } from "./i18n.ts";
import type { Live } from "./live.ts";
import { TONES } from "./messages.tsx";
import { Section, State, Table, type Tone } from "./parts.tsx";
import { linkTo } from "./place.ts";
import { AttentionList, Verdict } from "./verdict.tsx";
import type { Role, Status } from "./wire.ts";

/** The one look: is everything delivered, and if not, why and what to do. */
export function Overview(props: { status: Status; live: Live; role: Role }) {
  const { status, live } = props;
  const { now } = live;
  return (
    <>
      <Verdict status={status} now={now} />
      <Balance status={status} />
      <AttentionList status={status} role={props.role} onDone={live.refresh} />
      <Rates changes={live.changes} now={now} />
      <div class="grid">
        <Queue status={status} now={now} />
        <Endpoints status={status} now={now} />
        <Cameras status={status} now={now} />
        <Certificates status={status} />
        <Machine status={status} />
      </div>
    </>
  );
}

function Balance({ status: { balance } }: { status: Status }) {
  const texts = t().balance;
  const parts = (["delivered", "waiting", "dead", "expired", "discarded"] as const).filter(
    (part) => balance[part] > 0 || part === "delivered" || part === "waiting" || part === "dead",
  );
  return (
    <Section title={texts.title} wide>
      <dl class="balance">
        <div>
          <dt>{texts.received}</dt>
          <dd>{number(balance.received)}</dd>
        </div>
        {parts.map((part, index) => (
          <div class={`part ${part}`} key={part}>
            <dt>
              <span class="sign" aria-hidden="true">
                {index === 0 ? "=" : "+"}
              </span>
              {texts[part]}
            </dt>
            <dd>{number(balance[part])}</dd>
          </div>
        ))}
      </dl>
      <p class="quiet">
        {texts.help}{" "}
        {balance.difference === 0 ? (
          <State tone="good">{texts.adds}</State>
        ) : (
          <State tone="bad">{texts.off(balance.difference)}</State>
        )}
      </p>
    </Section>
  );
}

function Queue({ status: { queue }, now }: { status: Status; now: number }) {
  const texts = t().queue;
  const states = (["PENDING", "SENDING", "FAILED", "DEAD"] as const).filter((state) => queue.byStatus[state] > 0);
  return (
    <Section title={texts.title}>
      {states.length === 0 ? (
        <p>
          <State tone="good">{texts.empty}</State>
        </p>
      ) : (
        <Table
          label={texts.title}
          head={[texts.state, texts.count, texts.oldest]}
          rows={states.map((state) => [
            <a href={linkTo("messages", { state })} key="state">
              <State tone={TONES[state]}>{texts.states[state]}</State>
            </a>,
            number(queue.byStatus[state]),
            ago(queue.oldestAt[state], now),
          ])}
        />
      )}
    </Section>
  );
}

function Endpoints({ status: { endpoints }, now }: { status: Status; now: number }) {
  const texts = t().endpoints;
  if (endpoints.length === 0) {
    return (
      <Section title={texts.title}>
        <p>{texts.none}</p>
      </Section>
    );
  }
  return (
    <Section title={texts.title}>
      <Table
        label={texts.title}
        head={[texts.name, texts.state, texts.answers, texts.lastAccepted]}
        rows={endpoints.map(({ id, name, pauses, latencyMs, lastAcceptedAt }) => {
          const kind = pauses[0]?.pauseKind ?? null;
          return [
            id === 0 ? texts.default : name,
            pauses.length > 0 ? (
              <State tone="bad" key="state">
                {texts.paused}
                {kind === null ? "" : `: ${texts.kinds[kind]}`}
              </State>
            ) : lastAcceptedAt === null ? (
              <State tone="plain" key="state">
                {texts.idle}
              </State>
            ) : (
              <State tone="good" key="state">
                {texts.open}
              </State>
            ),
            latencyMs === null ? "–" : `${number(Math.round(latencyMs))} ms`,
            ago(lastAcceptedAt, now),
          ];
        })}
      />
    </Section>
  );
}

function Certificates({ status: { certificates } }: { status: Status }) {
  const texts = t().certificates;
  return (
    <Section title={texts.title}>
      {certificates.length === 0 ? (
        <p>{texts.none}</p>
      ) : (
        <Table
          label={texts.title}
          head={[texts.municipality, texts.ends, texts.left]}
          rows={certificates.map(({ municipality, validTo, daysLeft }) => [
            municipality,
            day(validTo),
            <DaysLeft days={daysLeft} key="left" />,
          ])}
        />
      )}
    </Section>
  );
}

const CLOCK_MS = 30_000;

function Machine({ status }: { status: Status }) {
  const texts = t().machine;
  const { disk, clockOffsetMs, services, store, version } = status;
  const diskTone: Tone =
    disk.freeBytes < disk.minFreeBytes ? "bad" : disk.freeBytes < 2 * disk.minFreeBytes ? "warn" : "good";
  const used = disk.totalBytes === 0 ? 0 : 1 - disk.freeBytes / disk.totalBytes;
  return (
    <Section title={texts.title}>
      <dl class="facts">
        <div>
          <dt>{texts.disk}</dt>
          <dd>
            <State tone={diskTone}>{texts.diskFree(size(disk.freeBytes), size(disk.totalBytes))}</State>
            <meter aria-label={texts.disk} min={0} max={1} value={used} high={0.9} />
          </dd>
        </div>
        <div>
          <dt>{texts.clock}</dt>
          <dd>{clockState(clockOffsetMs)}</dd>
        </div>
        <div>
          <dt>{texts.services}</dt>
          <dd>
            {services.map(({ task, state }) => (
              <State tone={state === "running" ? "good" : state === "stalled" ? "warn" : "bad"} key={task}>
                {task} {texts.serviceStates[state]}
              </State>
            ))}
          </dd>
        </div>
        <div>
          <dt>{texts.store}</dt>
          <dd>
            {store.kind} {store.version}
          </dd>
        </div>
        <div>
          <dt>{texts.version}</dt>
          <dd>{version}</dd>
        </div>
      </dl>
    </Section>
  );
}

function clockState(offsetMs: number | null) {
  const texts = t().machine;
  if (offsetMs === null) return <State tone="plain">{texts.clockUnknown}</State>;
  const amount = Math.abs(offsetMs);
  if (amount < CLOCK_MS) return <State tone="good">{texts.clockFine(formatDuration(amount))}</State>;
  const says = offsetMs > 0 ? texts.clockBehind : texts.clockAhead;
  return <State tone="bad">{says(formatDuration(amount))}</State>;
}
