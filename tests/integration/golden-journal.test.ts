// tests/golden/: the bytes that programs of the past wrote.
import { describeGoldenJournal } from '../golden/replayed.ts';

describeGoldenJournal();
