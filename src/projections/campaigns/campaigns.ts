// Campaigns: one row each with its status.
import type { campaignEvents } from '../../domain/campaign/events.ts';
import type { RecordedOf } from '../../domain/kernel/event.ts';
import type { Projection } from '../engine/projection.ts';

export type CampaignRow = {
  readonly id: string;
  readonly name: string;
  /** `YYYY-MM-DD`, inclusive both. */
  readonly from_on: string;
  readonly to_on: string;
  readonly audience: string | null;
  /** `planned`, `running`, `closed` */
  readonly status: string;
  readonly planned_by: string;
  readonly planned_at: string;
  readonly started_at: string | null;
  readonly closed_at: string | null;
  readonly position: number;
  readonly revision: number;
};

export const campaigns: Projection<CampaignRow> = {
  name: 'campaigns',
  version: 1,
  categories: ['campaign'],
  table: {
    name: 'campaigns',
    key: 'id',
    columns: {
      id: { type: 'text' },
      name: { type: 'text' },
      from_on: { type: 'date' },
      to_on: { type: 'date' },
      audience: { type: 'text', nullable: true },
      status: { type: 'text' },
      planned_by: { type: 'text' },
      planned_at: { type: 'timestamptz' },
      started_at: { type: 'timestamptz', nullable: true },
      closed_at: { type: 'timestamptz', nullable: true },
      position: { type: 'bigint' },
      revision: { type: 'integer' },
    },
    indexes: ['(from_on, id)'],
  },
  creates: new Set(['CampaignPlanned']),
  keys: (recorded) => [(recorded as RecordedOf<typeof campaignEvents>).data.campaignId],
  apply: (row, recorded) => {
    const event = recorded as RecordedOf<typeof campaignEvents>;
    const { position, revision, occurredAt } = event;
    if (event.type === 'CampaignPlanned') {
      const { campaignId, name, from, to, audience } = event.data;
      return {
        id: campaignId,
        name,
        from_on: from,
        to_on: to,
        audience: audience ?? null,
        status: 'planned',
        planned_by: event.actor.subject,
        planned_at: occurredAt,
        started_at: null,
        closed_at: null,
        position,
        revision,
      };
    }
    if (!row) throw new Error(`${event.type} of a campaign that is not there`);
    return event.type === 'CampaignStarted'
      ? { ...row, status: 'running', started_at: occurredAt, position, revision }
      : { ...row, status: 'closed', closed_at: occurredAt, position, revision };
  },
};
