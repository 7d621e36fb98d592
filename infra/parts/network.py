"""The network of the hot plane: isolated subnets, without a route to the internet."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.catalog.functions import PARTS
from infra.catalog.rights import Items, TableAction
from infra.foundation import Foundation
from infra.parts.logs import log_group
from infra.settings import Settings

ZONES = 2


class Network(Construct):
    """A VPC whose only ways out are the table endpoint and, where the environment waits for Genesys, Lambda's."""

    def __init__(self, scope: Construct, *, settings: Settings, foundation: Foundation) -> None:
        super().__init__(scope, "Network")
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            vpc_name=f"cir-{settings.name}",
            ip_addresses=ec2.IpAddresses.cidr("10.0.0.0/22"),
            max_azs=None if settings.availability_zones else ZONES,
            availability_zones=list(settings.availability_zones) or None,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24)
            ],
            # Emptying the default group takes a Node function with the right to change security groups. Nothing is in
            # that group: whatever is in this network names its own.
            restrict_default_security_group=False,
        )
        self._log_refusals(settings, foundation)
        self._reach_tables(foundation)
        self.functions = self._security_group("Functions", "Functions of the hot plane")
        # To the table endpoint, the only thing that the subnets have a route to; a prefix list's id would have to be
        # looked up, and synthesis asks nobody.
        self.functions.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.HTTPS, "DynamoDB, by the gateway endpoint")

    @property
    def subnets(self) -> ec2.SubnetSelection:
        return ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)

    def reach_function(self, target: str) -> None:
        """Let the functions invoke one function, by its ARN. The interface endpoint for it has a fixed price."""
        group = self._security_group("LambdaEndpoint", "Interface endpoint of Lambda")
        group.add_ingress_rule(self.functions, ec2.Port.HTTPS, "Functions of the hot plane")
        endpoint = self.vpc.add_interface_endpoint(
            "Lambda",
            service=ec2.InterfaceVpcEndpointAwsService.LAMBDA_,
            subnets=self.subnets,
            security_groups=[group],
            open=False,
        )
        endpoint.add_to_policy(
            iam.PolicyStatement(principals=[iam.AnyPrincipal()], actions=["lambda:InvokeFunction"], resources=[target])
        )

    def _security_group(self, name: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, name, vpc=self.vpc, description=description, allow_all_outbound=False)

    def _reach_tables(self, foundation: Foundation) -> None:
        """Free of charge, and good for this environment's tables only: nothing can be carried out to others."""
        endpoint = self.vpc.add_gateway_endpoint(
            "DynamoDb", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB, subnets=[self.subnets]
        )
        endpoint.add_to_policy(
            iam.PolicyStatement(
                principals=[iam.AnyPrincipal()],
                actions=[f"dynamodb:{action}" for action in sorted(_table_actions())],
                resources=foundation.table_arns,
            )
        )

    def _log_refusals(self, settings: Settings, foundation: Foundation) -> None:
        """Nothing should ever be refused here. What is, is a wrong rule or something that wants out."""
        group = log_group(
            self, "Refusals", f"/cir/{settings.name}/refused-packets", settings=settings, foundation=foundation
        )
        self.vpc.add_flow_log(
            "Refusals",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )


def _table_actions() -> set[TableAction]:
    """What the functions in the network do with the tables."""
    rights = (right for part in PARTS if part.plane == "hot" for right in part.may)
    return {action for right in rights if isinstance(right, Items) for action in right.actions}
