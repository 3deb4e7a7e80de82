// Original file: proto/isobatch/v1/isobatch.proto


export interface Coefficients {
  'mKeep'?: (number | string);
  'mAdd'?: (number | string);
  'vKeep'?: (number | string);
  'vAdd'?: (number | string);
  'squareOfSum'?: (boolean);
  'stepSize'?: (number | string);
  'vScale'?: (number | string);
  'epsilon'?: (number | string);
  'decay'?: (number | string);
  'c1'?: (number | string);
  'c2'?: (number | string);
}

export interface Coefficients__Output {
  'mKeep': (number);
  'mAdd': (number);
  'vKeep': (number);
  'vAdd': (number);
  'squareOfSum': (boolean);
  'stepSize': (number);
  'vScale': (number);
  'epsilon': (number);
  'decay': (number);
  'c1': (number);
  'c2': (number);
}
