// A stand-in for an EventStoreDB node (23.10, insecure, one node), for where none can be had: it speaks the protocol to the real client
// and answers as a real node did. Held to that by tests/contract/eventstoredb-stand-in.test.ts, which passes against a node too.
//   node tests/support/eventstoredb-stand-in/server.ts 2113 /folder    keeps its events in the folder; ends with its standard input

import { GossipService } from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import gossipPb, { type ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import { ServerFeaturesService } from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import serverFeaturesPb, { type SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import { StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { EventLog } from './event-log.ts';
import { read } from './reading.ts';
import { append, batchAppend, deleteStream, tombstoneStream } from './writing.ts';

export interface StandIn {
  readonly port: number;
  /** Cuts all calls. */
  stop(): Promise<void>;
}

export async function startStandInServer({ port = 0, folder }: { port?: number; folder?: string } = {}): Promise<StandIn> {
  const log = await EventLog.open(folder);
  const server = new Server({ 'grpc.max_receive_message_length': 16 * 1024 * 1024 });
  const writing = { log, maxAppendBytes: 1_048_576, writeTimeoutMs: 2_000 };
  server.addService(StreamsService, {
    read: read(log),
    append: append(writing),
    batchAppend: batchAppend(writing),
    delete: deleteStream(writing),
    tombstone: tombstoneStream(writing),
  });
  server.addService(ServerFeaturesService, {
    getSupportedMethods: (_: unknown, answer: (error: null, methods: SupportedMethods) => void) => answer(null, supportedMethods()),
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, boundPort) => (error ? reject(error) : resolve(boundPort)));
  });
  server.addService(GossipService, {
    read: (_: unknown, answer: (error: null, info: ClusterInfo) => void) => answer(null, clusterOf(bound)),
  });
  return {
    port: bound,
    stop: async () => {
      server.forceShutdown();
      await log.close();
    },
  };
}

function supportedMethods(): SupportedMethods {
  const methods = Object.values(StreamsService).map(({ path }: { path: string }) => {
    const [, service = '', method = ''] = path.toLowerCase().split('/');
    const supported = new serverFeaturesPb.SupportedMethod().setServiceName(service).setMethodName(method);
    return method === 'read' ? supported.setFeaturesList(['position', 'events']) : supported;
  });
  return new serverFeaturesPb.SupportedMethods().setEventStoreServerVersion('23.10.6').setMethodsList(methods);
}

function clusterOf(port: number): ClusterInfo {
  const member = new gossipPb.MemberInfo()
    .setState(gossipPb.MemberInfo.VNodeState.LEADER)
    .setIsAlive(true)
    .setHttpEndPoint(new gossipPb.EndPoint().setAddress('127.0.0.1').setPort(port));
  return new gossipPb.ClusterInfo().setMembersList([member]);
}

if (import.meta.main) {
  const [port = '2113', folder] = process.argv.slice(2);
  const standIn = await startStandInServer({ port: Number(port), ...(folder === undefined ? {} : { folder }) });
  process.stdout.write(`listening on ${standIn.port}\n`);
  process.stdin.resume().on('end', () => process.exit());
}
