const list = (words: string): readonly string[] => words.trim().split(/\s+/);

/** How a container without a name may feel. */
export const adjectives = list(`
  agile airy alert amber ample apt balmy bold brave bright brisk calm candid careful cheery civil clear clever coastal cool cosy crisp curious dapper daring
  deft eager early earnest easy fair fearless fleet fluent fond frank fresh gentle glad golden graceful handy hardy hearty helpful honest humble jaunty jolly
  keen kind lively loyal lucid lucky mellow merry mild modest neat nimble noble northern patient placid plucky polite prompt proud quick quiet ready regal
  robust rosy rustic sage serene sharp silent silver smart snug sober solid spry steady sturdy sunny sure swift tidy tranquil trim trusty upbeat vivid warm
  wise witty young zesty
`);

/** People who built, measured or carried things across water. */
export const surnames = list(`
  aldrin amundsen appleton ariadne avery babbage baker banks barents bass beaufort bering bessemer bougainville brunel byron cabot cassini chartier chichester
  cockerell columbus cook cousteau cunard darwin davis dias drake earle ekman elcano ericson eriksen fastnet fitzroy fleming franklin fram frobisher fulton
  gama gilbert halley hansteen harrison heyerdahl hudson humboldt hutton ibnbattuta jansson joyon kelvin knox laperouse lind livingstone lockwood macarthur
  magellan marconi maury mercator moitessier morse nansen napier nobel nordenskjold ohm parry piccard plimsoll polo pytheas raleigh ross rutherford sabine
  scoresby semmelweis shackleton slocum smeaton stephenson stevenson tasman tilman torricelli vancouver vespucci villiers volta watt wegener zheng
`);
