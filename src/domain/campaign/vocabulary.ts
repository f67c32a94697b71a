// The words for campaigns and what customers answer to them.
import { z } from 'zod';

export const CampaignStatus = z.enum(['planned', 'running', 'closed']);
export type CampaignStatus = z.output<typeof CampaignStatus>;

const LABEL = /^[\p{L}\p{N}][\p{L}\p{N} _-]{0,49}$/u;

/** A short label for what a customer answered, kept in lower case: `interested`, `accepted`, `declined`. */
export const CampaignResponse = z
  .string()
  .normalize()
  .trim()
  .regex(LABEL, 'a short label such as interested: letters, digits, spaces, _ and -, at most 50, starting with a letter or digit')
  .toLowerCase();
