import type { Translation } from "./translate.ts";

const said = (ca: string, es: string): Translation => ({ ca, es });

/** What `send` shows of a delivery, and what the police's answer is taken for. What they say themselves stays as it is. */
export const SENT: Readonly<Record<string, Translation>> = {
  "{1}, reader {2}, {3}": said("{1}, lector {2}, {3}", "{1}, lector {2}, {3}"),
  "(default) {1}": said("(per defecte) {1}", "(por defecto) {1}"),
  "built in, {#1} fields": said("incorporat, {#1} camps", "incorporado, {#1} campos"),
  "{1}, {#2} fields": said("{1}, {#2} camps", "{1}, {#2} campos"),
  "plate {#1} {2}, context {~3}": said("matrícula {#1} {2}, context {~3}", "matrícula {#1} {2}, contexto {~3}"),
  "plate {#1} {2} (grey, made up), context {~3}": said(
    "matrícula {#1} {2} (grisa, inventada), context {~3}",
    "matrícula {#1} {2} (gris, inventada), contexto {~3}",
  ),
  "{#1} fields as they should be": said("{#1} camps com han de ser", "{#1} campos como deben ser"),
  "{#1} fields as they should be; the signature verifies; {#2} bytes": said(
    "{#1} camps com han de ser; la signatura es verifica; {#2} bytes",
    "{#1} campos como deben ser; la firma se verifica; {#2} bytes",
  ),
  "{#1} fields as they should be; the signature DOES NOT VERIFY; {#2} bytes": said(
    "{#1} camps com han de ser; la signatura NO ES VERIFICA; {#2} bytes",
    "{#1} campos como deben ser; la firma NO SE VERIFICA; {#2} bytes",
  ),
  stopped: said("aturat", "detenido"),
  "stopped: {~1}": said("aturat: {~1}", "detenido: {~1}"),
  accepted: said("acceptada", "aceptada"),
  rejected: said("rebutjada", "rechazada"),

  // What the sender would do with it.
  "DEAD, {1}: {~2}": said("DEAD, {1}: {~2}", "DEAD, {1}: {~2}"),
  "DEAD, {1}: refused, not sent again by itself": said(
    "DEAD, {1}: rebutjada, no es torna a enviar tota sola",
    "DEAD, {1}: rechazada, no se vuelve a enviar sola",
  ),
  "put back: the endpoint's timeout is longer than a lease": said(
    "de nou a la cua: l'espera màxima de l'endpoint és més llarga que una reserva",
    "de nuevo en la cola: la espera máxima del endpoint es más larga que una reserva",
  ),
  "delivered: reading, message and pictures are erased": said(
    "lliurada: lectura, missatge i fotos s'esborren",
    "entregada: lectura, mensaje y fotos se borran",
  ),
  "FAILED without an attempt spent; the endpoint pauses and is probed": said(
    "FAILED sense gastar cap intent; l'endpoint fa una pausa i es va provant",
    "FAILED sin gastar ningún intento; el endpoint hace una pausa y se va probando",
  ),
  "FAILED, sent again; an attempt is spent only where others are taken": said(
    "FAILED, es reenvia; només gasta un intent si se n'accepten d'altres",
    "FAILED, se reenvía; solo gasta un intento si se aceptan otras",
  ),
  "FAILED without an attempt spent; this certificate pauses until it is mended": said(
    "FAILED sense gastar cap intent; aquest certificat fa una pausa fins que s'arregli",
    "FAILED sin gastar ningún intento; este certificado hace una pausa hasta que se arregle",
  ),
  "FAILED without an attempt spent; the endpoint pauses until it is mended": said(
    "FAILED sense gastar cap intent; l'endpoint fa una pausa fins que s'arregli",
    "FAILED sin gastar ningún intento; el endpoint hace una pausa hasta que se arregle",
  ),

  // What is taken from the answer.
  "no codiRetorn in the answer": said("la resposta no porta codiRetorn", "la respuesta no trae codiRetorn"),
  "no codiRetorn in the answer (no matriculaResponse)": said(
    "la resposta no porta codiRetorn (ni matriculaResponse)",
    "la respuesta no trae codiRetorn (ni matriculaResponse)",
  ),
  "{#1} codiRetorn in the answer": said("la resposta porta {#1} codiRetorn", "la respuesta trae {#1} codiRetorn"),
  "codiRetorn is empty": said("codiRetorn és buit", "codiRetorn está vacío"),
  "codiRetorn is no code": said("codiRetorn no és cap codi", "codiRetorn no es un código"),
  "codiRetorn=0, service not operational": said(
    "codiRetorn=0, el servei no està operatiu",
    "codiRetorn=0, el servicio no está operativo",
  ),
  "check this machine's clock: {1}": said(
    "comproveu el rellotge d'aquesta màquina: {1}",
    "compruebe el reloj de esta máquina: {1}",
  ),
  "check the signature profile: {1}": said(
    "comproveu el perfil de signatura: {1}",
    "compruebe el perfil de firma: {1}",
  ),
  "check the endpoint's address: HTTP {#1}: {~2}": said(
    "comproveu l'adreça de l'endpoint: HTTP {#1}: {~2}",
    "compruebe la dirección del endpoint: HTTP {#1}: {~2}",
  ),
  "HTTP {#1}: {~2}": said("HTTP {#1}: {~2}", "HTTP {#1}: {~2}"),
  "an empty answer": said("una resposta buida", "una respuesta vacía"),
  "an HTML page": said("una pàgina HTML", "una página HTML"),
  "an answer that is not XML": said("una resposta que no és XML", "una respuesta que no es XML"),
  "an answer that is not SOAP": said("una resposta que no és SOAP", "una respuesta que no es SOAP"),
  "the answer is over {#1} KiB": said("la resposta passa de {#1} KiB", "la respuesta pasa de {#1} KiB"),
  "stopped while waiting for the answer": said(
    "aturat mentre s'esperava la resposta",
    "detenido mientras se esperaba la respuesta",
  ),
};
