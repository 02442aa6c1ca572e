/** `auton8n scan` was used in a wrong way. */
export class WrongUse extends Error {
  override readonly name = 'WrongUse'
}
