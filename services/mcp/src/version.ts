/** How the server names itself to clients and to the operator. */
export const NAME = 'kling';
export const VERSION = '0.1.0';
