// Who is enrolled in which campaign, and what they answered: one row a campaign and customer.
import type { enrolmentEvents } from '../../domain/campaign/events.ts';
import type { RecordedOf } from '../../domain/kernel/event.ts';
import type { Projection } from '../engine/projection.ts';

export type EnrolmentRow = {
  readonly id: string;
  readonly campaign_id: string;
  readonly customer_id: string;
  readonly enrolled_at: string;
  readonly enrolled_by: string;
  /** The last response, a short label. */
  readonly response: string | null;
  readonly responded_at: string | null;
  /** Of the last event that touched the row. */
  readonly position: number;
};

export const enrolments: Projection<EnrolmentRow> = {
  name: 'enrolments',
  version: 1,
  categories: ['enrolment'],
  table: {
    name: 'enrolments',
    key: 'id',
    columns: {
      id: { type: 'text' },
      campaign_id: { type: 'text' },
      customer_id: { type: 'text' },
      enrolled_at: { type: 'timestamptz' },
      enrolled_by: { type: 'text' },
      response: { type: 'text', nullable: true },
      responded_at: { type: 'timestamptz', nullable: true },
      position: { type: 'bigint' },
    },
    indexes: ['(customer_id)', '(campaign_id, id)'],
  },
  creates: new Set(['CampaignEnrolled']),
  keys: (recorded) => [(recorded as RecordedOf<typeof enrolmentEvents>).data.enrolmentId],
  apply: (row, recorded) => {
    const event = recorded as RecordedOf<typeof enrolmentEvents>;
    const { position, occurredAt } = event;
    if (event.type === 'CampaignEnrolled') {
      const { enrolmentId, campaignId, customerId } = event.data;
      return {
        id: enrolmentId,
        campaign_id: campaignId,
        customer_id: customerId,
        enrolled_at: occurredAt,
        enrolled_by: event.actor.subject,
        response: null,
        responded_at: null,
        position,
      };
    }
    if (!row) throw new Error(`${event.type} of an enrolment that is not there`);
    return { ...row, response: event.data.response, responded_at: occurredAt, position };
  },
};
