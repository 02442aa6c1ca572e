export { Auton8nError } from './errors.js'
