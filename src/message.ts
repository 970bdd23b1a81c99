/** The states of a queued message, with the words operators know. SUCCESS is never stored: a delivered message is erased. */
export const MESSAGE_STATUSES = ["PENDING", "SENDING", "SUCCESS", "FAILED", "DEAD"] as const;
export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

/** Reasons of DEAD that tattile sets by itself; `codiRetorn=…` and `CAMPO_NO_VALIDO:…` carry what they are about behind them. */
export const REASON = {
  noOcrImage: "NO_IMAGE_AVAILABLE_OCR",
  noOcrFile: "NO_IMAGE_FILE_OCR",
  noCtxFile: "NO_IMAGE_FILE_CTX",
  noCertificate: "CERTIFICADO_NO_CONFIGURADO",
  incompleteCertificate: "CERTIFICADO_INCOMPLETO",
  noEndpoint: "ENDPOINT_URL_NO_CONFIGURADA",
  attemptsExhausted: "MAX_REINTENTOS_AGOTADOS",
  invalidField: "CAMPO_NO_VALIDO",
} as const;

/** DEAD for want of something an operator can supply: such a message returns to PENDING by itself once it is there. */
export const REVIVABLE_REASONS: readonly string[] = [
  REASON.noCertificate,
  REASON.incompleteCertificate,
  REASON.noEndpoint,
];
