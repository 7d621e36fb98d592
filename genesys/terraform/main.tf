# The data actions and the flow through CX as Code, from the same files that are imported by hand.

terraform {
  required_providers {
    genesyscloud = {
      source = "mypurecloud/genesyscloud"
    }
  }
}

variable "role_arn" {
  description = "Role that Genesys Cloud assumes to invoke the functions."
  type        = string
}

variable "function_arns" {
  description = "ARN of the function, with its alias, behind each data action."
  type = object({
    resolve-customer-identity-v2 = string
    resolve-customer-identity-v1 = optional(string) # only where a published flow still uses it
    link-identifier-v1           = string
    create-customer-v1           = string
  })
}

locals {
  name = "Customer Identity" # the category by which the flow finds the data actions
  actions = {
    for file, arn in var.function_arns :
    file => jsondecode(file("${path.module}/../data-actions/${file}.custom.json")) if arn != null
  }
}

resource "genesyscloud_integration_credential" "role" {
  name                 = local.name
  credential_type_name = "amazonWebServicesARN"
  fields               = { ARN = var.role_arn }
}

resource "genesyscloud_integration" "functions" {
  intended_state   = "ENABLED"
  integration_type = "aws-lambda-data-actions"
  config {
    name        = local.name
    properties  = jsonencode({})
    advanced    = jsonencode({})
    credentials = { AmazonWebServicesARN = genesyscloud_integration_credential.role.id }
  }
}

resource "genesyscloud_integration_action" "action" {
  for_each               = local.actions
  name                   = each.value.name
  category               = local.name
  integration_id         = genesyscloud_integration.functions.id
  secure                 = each.value.secure
  contract_input         = jsonencode(each.value.contract.input.inputSchema)
  contract_output        = jsonencode(each.value.contract.output.successSchema)
  config_timeout_seconds = each.value.config.timeoutSeconds
  config_request {
    request_url_template = var.function_arns[each.key]
    request_type         = each.value.config.request.requestType
    request_template     = each.value.config.request.requestTemplate
  }
  config_response {
    success_template = each.value.config.response.successTemplate
  }
}

resource "genesyscloud_flow" "inbound_call" {
  filepath   = "${path.module}/../architect/inbound-call.yaml"
  depends_on = [genesyscloud_integration_action.action]
}
