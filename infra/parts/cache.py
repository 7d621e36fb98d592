"""The cache of the hot plane: Valkey with TLS, entered with the functions' own roles and no password."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.foundation import Foundation
from infra.parts.network import Network
from infra.settings import CacheNodes, ServerlessCache, Settings

PORT = 6379
ENGINE = "valkey"
MINUTE = cdk.Duration.minutes(1)

COMMANDS = ("eval", "evalsha", "script|load", "get", "set", "del", "time")
"""All that the functions send, and all that the scripts call which they send."""


def access_string(environment: str) -> str:
    """What the functions' user may do, in Valkey's own words: those commands, on keys of this environment."""
    commands = " ".join(f"+{command}" for command in COMMANDS)
    return f"on ~{{cir:{environment}}}* -@all +@connection {commands}"


@dataclass(frozen=True, slots=True)
class _Placement:
    """What both kinds of cache are given."""

    users: elasticache.CfnUserGroup
    security_groups: list[str]
    subnets: list[str]
    key_arn: str


class Cache(Construct):
    """A serverless cache or a replication group, as the environment says; either way one user and one name."""

    def __init__(self, scope: Construct, *, settings: Settings, foundation: Foundation, network: Network) -> None:
        super().__init__(scope, "Cache")
        self.name = f"cir-{settings.name}"
        self.user = f"cir-{settings.name}-hot"
        group = self._user_group(settings.name)
        reachable = ec2.SecurityGroup(
            self, "Reachable", vpc=network.vpc, description="The cache", allow_all_outbound=False
        )
        reachable.add_ingress_rule(network.functions, ec2.Port.tcp(PORT), "Functions of the hot plane")
        network.functions.add_egress_rule(reachable, ec2.Port.tcp(PORT), "The cache")
        subnets = network.vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED).subnet_ids
        placement = _Placement(group, [reachable.security_group_id], subnets, foundation.key.key_arn)
        self._kind = settings.cache
        self._endpoint = (
            self._serverless_cache(settings.cache, placement)
            if isinstance(settings.cache, ServerlessCache)
            else self._replication_group(settings.cache, placement)
        )

    @property
    def variables(self) -> dict[str, str]:
        """How a function finds it: name of the variable → value."""
        return {
            "CACHE_URL": f"rediss://{self._endpoint}",
            "CACHE_USER": self.user,
            "CACHE_NAME": self.name,
            "CACHE_SERVERLESS": "true" if isinstance(self._kind, ServerlessCache) else "false",
        }

    @property
    def arns(self) -> list[str]:
        """What a role must be allowed to connect to: the cache, and the user in it."""
        kind = "serverlesscache" if isinstance(self._kind, ServerlessCache) else "replicationgroup"
        return [
            cdk.Stack.of(self).format_arn(
                service="elasticache",
                resource=resource,
                resource_name=name,
                arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
            )
            for resource, name in ((kind, self.name), ("user", self.user))
        ]

    def metric(self, name: str, statistic: str) -> cloudwatch.IMetric:
        """One of ElastiCache's own, by the minute. Of a replication group: of the node that is worst off."""
        if isinstance(self._kind, ServerlessCache):
            return self._metric(name, statistic, {"clusterId": self.name})
        nodes = {
            f"node{number}": self._metric(name, statistic, {"CacheClusterId": f"{self.name}-{number:03}"})
            for number in range(1, self._kind.nodes + 1)
        }
        return cloudwatch.MathExpression(expression="MAX(METRICS())", using_metrics=nodes, label=name, period=MINUTE)

    def _metric(self, name: str, statistic: str, dimensions: dict[str, str]) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/ElastiCache", metric_name=name, statistic=statistic, period=MINUTE, dimensions_map=dimensions
        )

    def _user_group(self, environment: str) -> elasticache.CfnUserGroup:
        """With one user who signs in by IAM. Valkey, unlike Redis, wants no user named `default` beside."""
        user = elasticache.CfnUser(
            self,
            "User",
            engine=ENGINE,
            user_id=self.user,
            user_name=self.user,  # IAM demands that both are the same
            authentication_mode={"Type": "iam"},
            access_string=access_string(environment),
        )
        return elasticache.CfnUserGroup(self, "Users", engine=ENGINE, user_group_id=self.name, user_ids=[user.ref])

    def _serverless_cache(self, limits: ServerlessCache, placement: _Placement) -> str:
        cache = elasticache.CfnServerlessCache(
            self,
            "Serverless",
            engine=ENGINE,
            major_engine_version="8",
            serverless_cache_name=self.name,
            description="cir: identifiers and profiles, rebuilt from the tables at any time",
            cache_usage_limits=elasticache.CfnServerlessCache.CacheUsageLimitsProperty(
                data_storage=elasticache.CfnServerlessCache.DataStorageProperty(
                    unit="GB", maximum=limits.max_storage_gb
                ),
                ecpu_per_second=elasticache.CfnServerlessCache.ECPUPerSecondProperty(
                    maximum=limits.max_ecpu_per_second
                ),
            ),
            kms_key_id=placement.key_arn,
            security_group_ids=placement.security_groups,
            subnet_ids=placement.subnets,
            user_group_id=placement.users.ref,
        )
        return f"{cache.attr_endpoint_address}:{cache.attr_endpoint_port}"

    def _replication_group(self, nodes: CacheNodes, placement: _Placement) -> str:
        subnets = elasticache.CfnSubnetGroup(
            self,
            "Subnets",
            cache_subnet_group_name=self.name,
            description="The isolated subnets of the hot plane",
            subnet_ids=placement.subnets,
        )
        replicated = nodes.nodes > 1
        cache = elasticache.CfnReplicationGroup(
            self,
            "Nodes",
            replication_group_id=self.name,
            replication_group_description="cir: identifiers and profiles, rebuilt from the tables at any time",
            engine=ENGINE,
            engine_version="8.0",
            cache_node_type=nodes.node_type,
            num_cache_clusters=nodes.nodes,
            automatic_failover_enabled=replicated,
            multi_az_enabled=replicated,
            auto_minor_version_upgrade=True,
            port=PORT,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            at_rest_encryption_enabled=True,
            kms_key_id=placement.key_arn,
            cache_subnet_group_name=subnets.ref,
            security_group_ids=placement.security_groups,
            user_group_ids=[placement.users.ref],
            snapshot_retention_limit=0,
        )
        acknowledge(
            cache,
            "AwsSolutions-AEC6",
            "AUTH is one password for all. Here the user group lets a function in as its own user, by IAM.",
        )
        return f"{cache.attr_primary_end_point_address}:{cache.attr_primary_end_point_port}"
