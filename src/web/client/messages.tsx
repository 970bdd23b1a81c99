import { useState } from "preact/hooks";
import { Deed, discard, failureText, retry, type Said, SaidNote } from "./cures.tsx";
import { instant, t, wallClock } from "./i18n.ts";
import { type Live, useGrowing } from "./live.ts";
import { More, Note, State, Table } from "./parts.tsx";
import { linkTo } from "./place.ts";
import { type Message, type MessageList, type MessageSelection, mayOperate, type Role, type Status } from "./wire.ts";

const LIMIT = 100;
const STATES = ["PENDING", "SENDING", "FAILED", "DEAD"] as const;
export const TONES = { PENDING: "plain", SENDING: "plain", FAILED: "warn", DEAD: "bad", SUCCESS: "good" } as const;

/** The queue, or the part of it that was asked for. */
export function Messages(props: { query: URLSearchParams; live: Live; status: Status; role: Role }) {
  const { query, live, status, role } = props;
  const [said, setSaid] = useState<Said | null>(null);
  const wanted = new URLSearchParams();
  for (const name of ["state", "camera", "reason"]) {
    const value = query.get(name);
    if (value !== null && value !== "") wanted.set(name, value);
  }
  const { value, error, refresh, showMore } = useGrowing<MessageList>(
    `/api/v1/messages?${wanted}`,
    live.changes,
    LIMIT,
  );
  const texts = t().messages;
  const done = (next: Said): void => {
    setSaid(next);
    refresh();
    live.refresh();
  };
  const isChosen = [...wanted.keys()].length > 0;
  const selection = select(wanted);
  return (
    <>
      <h1 class="page">{texts.title}</h1>
      <Filter query={wanted} status={status} />
      <SaidNote said={said} />
      {error === null ? null : <Note tone="bad">{failureText(error)}</Note>}
      {value === null ? (
        <p>{t().app.loading}</p>
      ) : value.messages.length === 0 ? (
        <p>{texts.empty}</p>
      ) : (
        <>
          {isChosen && mayOperate(role) ? (
            <div class="buttons">
              <Deed label={texts.retryAll} onDeed={() => retry(selection)} onSaid={done} />
              <Deed
                label={texts.discardAll}
                sure={texts.discardSure(value.messages.length, value.more)}
                class="danger"
                onDeed={() => discard(selection)}
                onSaid={done}
              />
            </div>
          ) : null}
          <div class="card">
            <List messages={value.messages} role={role} />
            <More more={value.more} onMore={showMore} />
          </div>
        </>
      )}
    </>
  );
}

function List({ messages, role }: { messages: readonly Message[]; role: Role }) {
  const texts = t().messages;
  const withPlate = mayOperate(role);
  const head = [
    texts.number,
    ...(withPlate ? [texts.plate] : []),
    t().queue.state,
    t().cameras.serial,
    texts.taken,
    texts.attempts,
    texts.why,
  ];
  return (
    <Table
      label={texts.title}
      head={head}
      rows={messages.map((message) => [
        <a href={linkTo(`messages/${message.messageId}`)} key="id">
          {message.messageId}
        </a>,
        ...(withPlate ? [message.plate ?? ""] : []),
        <State tone={TONES[message.status]} key="state">
          {t().queue.one[message.status]}
        </State>,
        message.cameraSerial,
        message.capturedWallClock === null ? (
          instant(message.capturedAt)
        ) : (
          <span title={t().message.takenWallClock} key="taken">
            {wallClock(message.capturedWallClock)} ({texts.cameraClock})
          </span>
        ),
        String(message.attempts),
        message.reason === null ? (
          (message.lastError ?? "–")
        ) : (
          <span title={message.reason} key="why">
            {t().reason(message.reason).text}
          </span>
        ),
      ])}
    />
  );
}

function Filter({ query, status }: { query: URLSearchParams; status: Status }) {
  const texts = t().messages;
  const choose = (name: string, value: string): void => {
    const next = Object.fromEntries(query);
    if (value === "") delete next[name];
    else next[name] = value;
    location.hash = linkTo("messages", next);
  };
  const reason = query.get("reason");
  const reasons = new Set([
    ...status.queue.deadByReason.map((dead) => dead.reason),
    ...(reason === null ? [] : [reason]),
  ]);
  const state = query.get("state") ?? "";
  return (
    <fieldset class="filter">
      <legend class="hidden">{texts.filter}</legend>
      <label>
        {t().queue.state}
        <select value={state} onChange={(event) => choose("state", event.currentTarget.value)}>
          <option value="">{texts.anyState}</option>
          {STATES.map((one) => (
            <option value={one} key={one}>
              {t().queue.states[one]}
            </option>
          ))}
          {state.includes(",") ? (
            <option value={state}>
              {state
                .split(",")
                .map((one) => t().queue.states[one as (typeof STATES)[number]])
                .join(", ")}
            </option>
          ) : null}
        </select>
      </label>
      <label>
        {t().cameras.serial}
        <select value={query.get("camera") ?? ""} onChange={(event) => choose("camera", event.currentTarget.value)}>
          <option value="">{texts.anyCamera}</option>
          {status.cameras.map(({ serial }) => (
            <option value={serial} key={serial}>
              {serial}
            </option>
          ))}
        </select>
      </label>
      <label>
        {texts.reason}
        <select value={reason ?? ""} onChange={(event) => choose("reason", event.currentTarget.value)}>
          <option value="">{texts.anyReason}</option>
          {[...reasons].map((one) => (
            <option value={one} key={one}>
              {one}
            </option>
          ))}
        </select>
      </label>
    </fieldset>
  );
}

function select(query: URLSearchParams): MessageSelection {
  const selection: MessageSelection = {};
  const [state, camera, reason] = ["state", "camera", "reason"].map((name) => query.get(name));
  if (state) selection.states = STATES.filter((one) => state.split(",").includes(one));
  if (camera) selection.camera = camera;
  if (reason) selection.reason = reason;
  return selection;
}
