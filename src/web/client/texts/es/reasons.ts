import { explainReasons } from "../reasons.ts";

export const reason = explainReasons({
  known: {
    NO_IMAGE_AVAILABLE_OCR: {
      text: "la cámara no envió la foto de la matrícula, que la policía exige.",
      mend: "Haga que la cámara envíe IMAGE_OCR. Lo que llegó sin ella no se puede entregar: descártelo.",
    },
    NO_IMAGE_FILE_OCR: {
      text: "la foto de la matrícula ya no está en el disco.",
      mend: "No se puede entregar: descártelo.",
    },
    NO_IMAGE_FILE_CTX: {
      text: "la foto de contexto ya no está en el disco.",
      mend: "No se puede entregar: descártelo.",
    },
    CERTIFICADO_NO_CONFIGURADO: {
      text: "el municipio no tiene certificado.",
      mend: "Impórtelo: lo que lo espera se envía entonces solo.",
    },
    CERTIFICADO_INCOMPLETO: {
      text: "faltan archivos del certificado o no casan entre sí.",
      mend: "Impórtelo de nuevo: lo que lo espera se envía entonces solo.",
    },
    ENDPOINT_URL_NO_CONFIGURADA: {
      text: "el municipio no tiene asignado un servicio de la policía.",
      mend: "Asígnelo: lo que lo espera se envía entonces solo.",
    },
    MAX_REINTENTOS_AGOTADOS: {
      text: "la policía no respondió, aunque sí a otras lecturas.",
      mend: "Envíe de nuevo. Si se repite, pregunte a la policía con la hora de los intentos.",
    },
  },
  refused: (code) => ({
    text: `la policía responde con un rechazo, código ${code}.`,
    mend: "Pregunte a la policía qué significa, corríjalo y envíe de nuevo.",
  }),
  invalidField: (what) => ({
    text: `un campo no cabe en lo que admite la policía (${what}).`,
    mend: "Corríjalo en la cámara o en su alta y envíe de nuevo.",
  }),
  mendOther: "Mire una de ellas, corrija la causa y envíe de nuevo.",
});
