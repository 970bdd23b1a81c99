import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Deed, discard, failureText, retry, type Said, SaidNote } from "./cures.tsx";
import { instant, number, t, wallClock } from "./i18n.ts";
import { type Live, useAnswer } from "./live.ts";
import { TONES } from "./messages.tsx";
import { Note, Section, State } from "./parts.tsx";
import { linkTo } from "./place.ts";
import { ask, ServerFailure } from "./server.ts";
import { type Message, type MessageDetail, mayOperate, type Role } from "./wire.ts";

/** One message: what it is, its life, and for those allowed its plate and pictures. */
export function MessagePage(props: { id: string; live: Live; role: Role }) {
  const { id, live, role } = props;
  const path = /^\d{1,15}$/.test(id) ? `/api/v1/messages/${id}` : null;
  const { value, error, refresh } = useAnswer<MessageDetail>(path, live.changes, 1000);
  const [said, setSaid] = useState<Said | null>(null);
  const texts = t().message;
  const isGone = path === null || (error instanceof ServerFailure && error.status === 404);
  const done = (next: Said): void => {
    setSaid(next);
    refresh();
    live.refresh();
  };
  const isOpen = value !== null && !isGone;
  return (
    <>
      <p>
        <a href={linkTo("messages")}>← {t().messages.title}</a>
      </p>
      <h1 class="page">{texts.title(id)}</h1>
      <SaidNote said={said} />
      {isGone ? (
        <Section title={texts.gone}>
          <p>{texts.goneHelp}</p>
        </Section>
      ) : null}
      {error !== null && !isGone ? <Note tone="bad">{failureText(error)}</Note> : null}
      {value === null && error === null && !isGone ? <p>{t().app.loading}</p> : null}
      {isOpen ? <Why message={value.message} role={role} onSaid={done} /> : null}
      <div class="grid">
        {value === null ? null : <Life detail={value} isGone={isGone} />}
        {isOpen ? <FactsOf message={value.message} role={role} /> : null}
      </div>
      {isOpen && mayOperate(role) ? <Pictures message={value.message} key={id} /> : null}
    </>
  );
}

/** Why it was given up and what to do; the buttons for it. */
function Why({ message, role, onSaid }: { message: Message; role: Role; onSaid(said: Said): void }) {
  const { status, reason, lastError, messageId } = message;
  const advice = reason === null ? null : t().reason(reason);
  const selection = { ids: [messageId] };
  return (
    <Section title={t().messages.why} wide>
      <p>
        <State tone={TONES[status]}>{t().queue.one[status]}</State>
        {advice === null ? null : `: ${advice.text}`}
      </p>
      {advice === null ? null : <p class="quiet">{advice.mend}</p>}
      {lastError === null ? null : (
        <p>
          <code>{lastError}</code>
        </p>
      )}
      {mayOperate(role) ? (
        <div class="buttons">
          {status === "DEAD" || status === "FAILED" ? (
            <Deed label={t().cure.retry} class="primary" onDeed={() => retry(selection)} onSaid={onSaid} />
          ) : null}
          {role === "admin" && reason?.startsWith("CERTIFICADO_") ? (
            <a class="button" href={linkTo("certificates", { municipality: message.municipality })}>
              {t().cure.certificate}
            </a>
          ) : null}
          {status === "SENDING" ? null : (
            <Deed
              label={t().message.discard}
              sure={t().message.discardSure}
              class="danger"
              onDeed={() => discard(selection)}
              onSaid={onSaid}
            />
          )}
        </div>
      ) : null}
    </Section>
  );
}

const OUTCOME_TONES = {
  accepted: "good",
  rejected: "bad",
  unreachable: "warn",
  unanswered: "warn",
  misconfigured: "bad",
} as const;

function Life({ detail, isGone }: { detail: MessageDetail; isGone: boolean }) {
  const texts = t().message;
  const { message, history } = detail;
  const taken = {
    camera: texts.taken,
    arrival: texts.takenArrival,
    ambiguous: texts.takenAmbiguous,
    "wall-clock": texts.takenWallClock,
  };
  return (
    <Section title={texts.life}>
      <ol class="life">
        {message.capturedWallClock === null ? (
          <Step at={message.capturedAt}>{taken[message.timeSource]}</Step>
        ) : (
          <li>
            <time datetime={message.capturedWallClock}>{wallClock(message.capturedWallClock)}</time>
            <div>{texts.takenWallClock}</div>
          </li>
        )}
        <Step at={message.receivedAt}>{texts.received}</Step>
        {history
          .toSorted((a, b) => a.at.localeCompare(b.at))
          .map(({ at, kind, detail: answer, durationMs }) => (
            <Step at={at} key={at}>
              <State tone={OUTCOME_TONES[kind]}>{texts.outcomes[kind]}</State> {texts.answered}{" "}
              {number(Math.round(durationMs))} ms
              {answer === "" ? null : (
                <>
                  <br />
                  <code>{answer}</code>
                </>
              )}
            </Step>
          ))}
        {history.length === 0 && !isGone ? <Step at={null}>{texts.noAttempts}</Step> : null}
        {isGone ? <Step at={null}>{texts.gone}</Step> : <Step at={null}>{nextStep(message)}</Step>}
      </ol>
    </Section>
  );
}

function Step({ at, children }: { at: string | null; children: ComponentChildren }) {
  return (
    <li>
      {at === null ? null : <time datetime={at}>{instant(at)}</time>}
      <div>{children}</div>
    </li>
  );
}

function nextStep({ status, nextRetryAt }: Message): string {
  const texts = t().message;
  switch (status) {
    case "PENDING":
      return texts.waits;
    case "SENDING":
      return texts.sending;
    case "FAILED":
      return nextRetryAt === null ? texts.waits : texts.nextTry(instant(nextRetryAt));
    case "DEAD":
      return texts.givenUp;
    case "SUCCESS":
      return texts.outcomes.accepted;
  }
}

function FactsOf({ message, role }: { message: Message; role: Role }) {
  const texts = t().message;
  const facts: [string, string | null][] = [
    [texts.camera, message.cameraSerial],
    [texts.municipality, message.municipality],
    [texts.endpoint, message.endpointName ?? t().endpoints.default],
    [t().messages.attempts, number(message.attempts)],
    [texts.confidence, message.ocrScore === null ? null : number(message.ocrScore)],
    [texts.country, message.countryCode],
    [texts.lane, message.laneId === null ? null : String(message.laneId)],
    [texts.direction, message.direction],
  ];
  return (
    <Section title={texts.camera}>
      <dl class="facts">
        {mayOperate(role) ? <Plate message={message} /> : null}
        {facts
          .filter(([, value]) => value !== null && value !== "")
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
      {role === "admin" ? (
        <p>
          <a href={linkTo("audit", { message: String(message.messageId) })}>{texts.looked}</a>
        </p>
      ) : null}
    </Section>
  );
}

/** Masked until asked for: then it is one line in the audit log. */
function Plate({ message }: { message: Message }) {
  const [shown, setShown] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const texts = t().message;
  const show = async (): Promise<void> => {
    try {
      const detail = await ask<MessageDetail>("GET", `/api/v1/messages/${message.messageId}?plates=true`);
      setShown(detail.message.plate);
    } catch (error) {
      setProblem(failureText(error));
    }
  };
  return (
    <div>
      <dt>{texts.plate}</dt>
      <dd>
        <strong class="plate-text">{shown ?? message.plate}</strong>
        {shown === null ? (
          <button type="button" class="small" onClick={show} title={texts.audited}>
            {texts.showPlate}
          </button>
        ) : null}
        {problem === null ? null : <Note tone="bad">{problem}</Note>}
      </dd>
    </div>
  );
}

function Pictures({ message }: { message: Message }) {
  const [shown, setShown] = useState(false);
  const texts = t().message;
  const pictures = [
    { kind: "ocr", name: texts.ocr, has: message.hasOcrImage },
    { kind: "ctx", name: texts.ctx, has: message.hasCtxImage },
  ];
  return (
    <Section title={texts.pictures} wide>
      {shown ? (
        <div class="pictures">
          {pictures.map(({ kind, name, has }) => (
            <figure key={kind}>
              {has ? (
                <Picture address={`/api/v1/messages/${message.messageId}/images/${kind}`} name={name} />
              ) : (
                <p class="quiet">{texts.noPicture}</p>
              )}
              <figcaption>{name}</figcaption>
            </figure>
          ))}
        </div>
      ) : (
        <div class="buttons">
          <button type="button" onClick={() => setShown(true)}>
            {texts.showPictures}
          </button>
          <span class="quiet">{texts.audited}</span>
        </div>
      )}
    </Section>
  );
}

function Picture({ address, name }: { address: string; name: string }) {
  const [isBroken, setBroken] = useState(false);
  if (isBroken) return <p class="quiet">{t().message.broken}</p>;
  return <img src={address} alt={name} onError={() => setBroken(true)} />;
}
