/** Field manager of every child and of the status. */
export const FIELD_MANAGER = 'klingapi-operator';
