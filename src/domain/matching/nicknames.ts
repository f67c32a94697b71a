// Short and pet forms of given names in Latin letters: each line is one name.
const GROUPS = `
robert rob bob bobby robbie bert
william will bill billy liam willy
richard rick dick ricky rich
james jim jimmy jamie jem
john jack johnny jon
jonathan jon jonny nathan
joseph joe joey jo
thomas tom tommy
charles charlie chuck chas
edward ed eddie ted teddy ned
michael mike mick mickey micky
matthew matt
christopher chris kit
daniel dan danny
david dave davey
andrew andy drew
anthony tony
alexander alex sandy xander sasha
alexandra alex sandra sasha lexi
benjamin ben benny
samuel sam sammy
samantha sam sammie
nicholas nick nicky nico
patrick pat paddy
patricia pat patty tricia trish
peter pete
philip phil pip
stephen steve steven
kenneth ken kenny
ronald ron ronnie
donald don donny
gregory greg
jeffrey jeff geoffrey geoff
gerald gerry jerry
lawrence larry laurie
leonard len lenny leo
raymond ray
timothy tim timmy
walter walt wally
zachary zach zack
joshua josh
jacob jake
nathaniel nathan nate nat
frederick fred freddie
francis frank fran
francisco paco pancho frank
jose pepe
elizabeth liz lizzie beth betty eliza libby bess elsie lisa
margaret maggie meg peggy marge margie greta rita
katherine kate kathy katie kat catherine cathy cat kathryn
mary molly polly may
maria mia
susan sue susie suzanne
jennifer jen jenny
jessica jess jessie
rebecca becky becca
deborah deb debbie
barbara barb babs
dorothy dot dottie dolly
christina chris tina christine chrissy kristina
victoria vicky tori
virginia ginny
pamela pam
cynthia cindy
jacqueline jackie
kimberly kim
amanda mandy
abigail abby gail
eleanor ellie nell nora
isabella bella izzy isabel
josephine josie jo
theodore ted teddy theo
theresa terry tess teresa
anna ann annie anne nan hannah
natalie nat natasha tasha
gabriella gabby
olivia liv livvy
sophia sophie
emily em emma millie
caroline carrie carol
veronica ronnie
`;

const groups: ReadonlyMap<string, ReadonlySet<number>> = byWord();

/** Whether two given names are forms of one, in lower case. */
export function isNickname(one: string, other: string): boolean {
  const [mine, theirs] = [groups.get(one), groups.get(other)];
  if (mine === undefined || theirs === undefined) return false;
  for (const group of mine) if (theirs.has(group)) return true;
  return false;
}

/** The whole names that a form may stand for, itself where it is none. */
export function wholeNames(word: string): readonly string[] {
  const found = groups.get(word);
  return found === undefined ? [word] : [...found].map((group) => heads[group] ?? word);
}

const heads: readonly string[] = lines().map(([head = '']) => head);

function lines(): readonly (readonly string[])[] {
  return GROUPS.trim()
    .split('\n')
    .map((line) => line.split(' '));
}

function byWord(): ReadonlyMap<string, ReadonlySet<number>> {
  const found = new Map<string, Set<number>>();
  for (const [index, words] of lines().entries()) for (const word of words) found.set(word, (found.get(word) ?? new Set()).add(index));
  return found;
}
